//! Small documents with the program, the flows and the notes that they give, reviewed as snapshots beside them.

mod outline;

use std::path::Path;

#[test]
fn documents_give_the_reviewed_program_and_notes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/steps");
    let mut names: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    names.sort();
    assert!(names.len() >= 10, "the fixtures are where this test looks for them");
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(&folder);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for path in names {
            let source = std::fs::read_to_string(&path).unwrap();
            let compiled = outline::compile(&source);
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            let text = [
                outline::schema(&compiled.program),
                outline::program(&compiled.program),
                outline::flows(&compiled),
                outline::classes(&source, &compiled),
                outline::notes(&source, &compiled),
            ];
            insta::assert_snapshot!(name, text.join("\n"));
        }
    });
}
