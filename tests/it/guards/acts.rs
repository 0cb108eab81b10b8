//! Acts can be searched for by the words under which they are written down.

use std::collections::BTreeSet;

use super::source;

#[test]
fn the_list_of_acts_has_all_that_are_written_down_and_no_others() {
    let product = source::product();
    let names: BTreeSet<&str> = domain::acts::names().collect();
    let mut violations = Vec::new();
    for (path, text) in product.iter().filter(|(path, _)| !path.contains("/acts/")) {
        for act in text.split("Act::new(").skip(1) {
            let until = if act.starts_with("if ") { act.find("})") } else { act.find(')') };
            let words = act[..until.unwrap_or_default()].split('"').skip(1).step_by(2);
            violations.extend(words.filter(|word| !names.contains(word)).map(|word| format!("{path}: {word}")));
        }
    }
    let said = |name: &str| {
        product.iter().any(|(path, text)| !path.contains("/acts/") && text.contains(&format!("\"{name}\"")))
    };
    violations.extend(names.iter().filter(|name| !said(name)).map(|name| format!("nothing writes {name}")));
    source::none("jobs/domain/src/acts/model.rs lists the words of all acts.", &violations);
}
