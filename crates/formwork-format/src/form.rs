//! Documents to begin with: the blank form, and complete examples.

/// A complete document that comes with Formwork.
#[derive(Clone, Copy, Debug)]
pub struct Example {
    /// Its name on the command line.
    pub name: &'static str,
    /// Its text.
    pub text: &'static str,
}

/// All examples.
pub const EXAMPLES: [Example; 1] =
    [Example { name: "shortlink", text: include_str!("../../../examples/shortlink.md") }];

/// The prompt for the project's name in the form's title.
const NAME: &str = "[Project Name]";

/// The blank form, with the project's name where one is given.
pub fn blank(name: Option<&str>) -> String {
    let form = formwork_check::blank_form();
    name.map_or_else(|| form.to_owned(), |name| form.replacen(NAME, name.trim(), 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_stands_in_the_title() {
        assert!(blank(Some("Ledger")).starts_with("# Ledger – Technical Architecture\n"));
        assert!(blank(None).starts_with("# [Project Name] – Technical Architecture\n"));
    }
}
