//! The variables in scope, in the order in which they were bound, and found by name in the same time however many
//! there are.

use super::names::Bound;
use rustc_hash::FxHashMap;
use std::ops::Deref;
use std::sync::Arc;

/// As many are looked through one by one: a table of so few would cost more than it saves.
const FEW: usize = 16;

/// Variables in scope. Reads as a slice, outermost first.
#[derive(Clone, Debug, Default)]
pub struct Variables {
    list: Vec<Bound>,
    /// When each of the list was bound; rises.
    bound_at: Vec<u32>,
    /// When the variables of each name were bound, innermost last. Empty up to [`FEW`] variables.
    by_name: FxHashMap<Arc<str>, Vec<u32>>,
    next: u32,
}

impl Variables {
    /// Adds the innermost.
    pub fn push(&mut self, bound: Bound) {
        if !self.by_name.is_empty() {
            self.by_name.entry(bound.name.clone()).or_default().push(self.next);
        }
        self.list.push(bound);
        self.bound_at.push(self.next);
        self.next += 1;
        if self.by_name.is_empty() && self.list.len() > FEW {
            self.index();
        }
    }

    /// The innermost of a name.
    pub fn find(&self, name: &str) -> Option<&Bound> {
        if self.by_name.is_empty() {
            return self.list.iter().rev().find(|bound| *bound.name == *name);
        }
        let bound_at = self.by_name.get(name)?.last()?;
        self.list.get(self.bound_at.binary_search(bound_at).ok()?)
    }

    /// Keeps the outermost `length`.
    pub fn truncate(&mut self, length: usize) {
        while self.list.len() > length {
            self.remove(self.list.len() - 1);
        }
    }

    /// Takes one out.
    pub fn remove(&mut self, at: usize) {
        let (bound, bound_at) = (self.list.remove(at), self.bound_at.remove(at));
        if let Some(of_name) = self.by_name.get_mut(&bound.name) {
            of_name.retain(|other| *other != bound_at);
            if of_name.is_empty() {
                self.by_name.remove(&bound.name);
            }
        }
    }

    /// Takes out what does not fit.
    pub fn retain(&mut self, fits: impl Fn(&Bound) -> bool) {
        self.list.retain(fits);
        self.bound_at = (0..self.list.len() as u32).collect();
        self.next = self.list.len() as u32;
        self.by_name.clear();
        if self.list.len() > FEW {
            self.index();
        }
    }

    /// What was bound from a place of the list on may be absent; gives it.
    pub fn make_optional(&mut self, from: usize) -> &[Bound] {
        let bound = self.list.get_mut(from..).unwrap_or_default();
        bound.iter_mut().for_each(|bound| bound.ty.optional = true);
        bound
    }

    fn index(&mut self) {
        for (bound, bound_at) in self.list.iter().zip(&self.bound_at) {
            self.by_name.entry(bound.name.clone()).or_default().push(*bound_at);
        }
    }
}

impl Deref for Variables {
    type Target = [Bound];

    fn deref(&self) -> &[Bound] {
        &self.list
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::Kind;
    use proptest::prelude::*;

    /// What is done to the variables and to a plain list of them.
    #[derive(Clone, Debug)]
    enum Change {
        Push(u8),
        Truncate(usize),
        Remove(usize),
        Retain(u8),
    }

    fn changes() -> impl Strategy<Value = Vec<Change>> {
        let change = prop_oneof![
            8 => (0..30u8).prop_map(Change::Push),
            1 => (0..40usize).prop_map(Change::Truncate),
            1 => (0..40usize).prop_map(Change::Remove),
            1 => (0..30u8).prop_map(Change::Retain),
        ];
        prop::collection::vec(change, 0..120)
    }

    proptest! {
        #[test]
        fn the_innermost_of_a_name_is_found_however_many_there_are(changes in changes()) {
            let (mut variables, mut plain) = (Variables::default(), Vec::<Bound>::new());
            for (slot, change) in changes.into_iter().enumerate() {
                match change {
                    Change::Push(name) => {
                        let name = Arc::from(format!("v{name}"));
                        let bound = Bound { name, slot: slot as u16, ty: Kind::Integer.required() };
                        variables.push(bound.clone());
                        plain.push(bound);
                    }
                    Change::Truncate(length) => {
                        variables.truncate(length);
                        plain.truncate(length);
                    }
                    Change::Remove(at) if at < plain.len() => {
                        variables.remove(at);
                        plain.remove(at);
                    }
                    Change::Remove(_) => {}
                    Change::Retain(name) => {
                        let name = format!("v{name}");
                        variables.retain(|bound| *bound.name != *name);
                        plain.retain(|bound| *bound.name != *name);
                    }
                }
                for name in 0..30 {
                    let name = format!("v{name}");
                    let slow = plain.iter().rev().find(|bound| *bound.name == *name);
                    prop_assert_eq!(variables.find(&name).map(|it| it.slot), slow.map(|it| it.slot));
                }
            }
        }
    }
}
