//! Inside the domain, the order in `lib.rs` is the order of dependence.

use syn::visit::Visit;

use super::source;

/// Collects `y` of every `crate::y` in a file.
#[derive(Default)]
struct Uses(Vec<String>);

impl<'ast> Visit<'ast> for Uses {
    fn visit_use_path(&mut self, path: &'ast syn::UsePath) {
        if path.ident == "crate" {
            self.first_names(&path.tree);
        }
        syn::visit::visit_use_path(self, path);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let mut segments = path.segments.iter();
        if segments.next().is_some_and(|first| first.ident == "crate")
            && let Some(second) = segments.next()
        {
            self.0.push(second.ident.to_string());
        }
        syn::visit::visit_path(self, path);
    }
}

impl Uses {
    fn first_names(&mut self, tree: &syn::UseTree) {
        match tree {
            syn::UseTree::Path(path) => self.0.push(path.ident.to_string()),
            syn::UseTree::Name(name) => self.0.push(name.ident.to_string()),
            syn::UseTree::Rename(rename) => self.0.push(rename.ident.to_string()),
            syn::UseTree::Group(group) => group.items.iter().for_each(|item| self.first_names(item)),
            syn::UseTree::Glob(_) => self.0.push("*".to_owned()),
        }
    }
}

#[test]
fn a_noun_uses_only_nouns_above_it() {
    let lib = source::read("jobs/domain/src/lib.rs");
    let nouns: Vec<&str> =
        lib.lines().filter_map(|line| line.trim().strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    assert!(nouns.len() > 3, "found {nouns:?}");
    let rank = |noun: &str| nouns.iter().position(|known| *known == noun);
    let mut violations = Vec::new();
    for (path, text) in source::files("jobs/domain/src", "rs") {
        let noun = path.strip_prefix("jobs/domain/src/").unwrap().split(['/', '.']).next().unwrap();
        let Some(own) = rank(noun) else { continue };
        let mut uses = Uses::default();
        uses.visit_file(&syn::parse_file(&text).unwrap_or_else(|error| panic!("{path}: {error}")));
        for used in uses.0 {
            if rank(&used).is_some_and(|other| other > own) {
                violations.push(format!("{path}: {noun} uses {used}, which stands below it"));
            }
        }
    }
    source::none("Order of the nouns in jobs/domain/src/lib.rs: a noun knows those above it only.", &violations);
}
