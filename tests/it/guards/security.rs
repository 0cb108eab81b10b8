//! `api/SECURITY.md` answers for every requirement of ASVS 5.0.0, levels 1 and 2, and what it names as proof is there.

use std::{collections::BTreeMap, fs};

use super::source::root;

/// The levels of each section's requirements, in their order; level 3 is not asked for.
const LEVELS: &str = "1.1 22|1.2 1111122223|1.3 112222222223|1.4 222|1.5 123|2.1 122|2.2 112|2.3 12223|2.4 23|3.2 113|3.3 12223|\
    3.4 11222233|3.5 11122333|3.7 22333|4.1 12233|4.2 23333|4.3 22|4.4 1222|5.1 2|5.2 112333|5.3 113|5.4 222|6.1 122|\
    6.2 111111112222|6.3 11223333|6.4 112233|6.5 22222333|6.6 2223|6.8 2222|7.1 222|7.2 1111|7.3 22|7.4 11222|7.5 223|7.6 22|\
    8.1 1233|8.2 1123|8.3 133|8.4 23|9.1 111|9.2 1222|10.1 22|10.2 223|10.3 22223|10.4 1111122222233333|10.5 22222|10.6 22|\
    10.7 222|11.1 2233|11.2 22233|11.3 11233|11.4 1222|11.5 23|11.6 23|12.1 12233|12.2 11|12.3 22223|13.1 2333|13.2 222223|\
    13.3 2233|13.4 1222233|14.1 22|14.2 1222333|14.3 122|15.1 12233|15.2 12233|15.3 1222222|16.1 2|16.2 22222|16.3 2222|\
    16.4 222|16.5 2223|17.1 23|17.2 22223333|17.3 22";

/// Id and level of each requirement.
fn required() -> BTreeMap<String, char> {
    let of = |section: &str| {
        let (section, levels) = section.split_once(' ').expect("a section and its levels");
        let numbered = levels.chars().enumerate().filter(|(_, level)| *level != '3');
        numbered.map(|(at, level)| (format!("{section}.{}", at + 1), level)).collect::<Vec<_>>()
    };
    LEVELS.split('|').flat_map(of).collect()
}

#[test]
fn every_requirement_has_its_row_and_what_a_row_names_is_there() {
    let text = fs::read_to_string(root().join("api/SECURITY.md")).unwrap();
    let mut missing = required();
    assert_eq!(missing.len(), 253);
    let mut wrong = Vec::new();
    for row in text.lines().filter_map(|line| line.strip_prefix("| ")) {
        let cells: Vec<&str> = row.trim_end_matches('|').split('|').map(str::trim).collect();
        let [id, level, what, how] = cells[..] else { continue };
        if !id.starts_with(|first: char| first.is_ascii_digit()) {
            continue;
        }
        if missing.remove(id).map(String::from) != Some(level.to_owned()) {
            wrong.push(format!("{id}: there is no such requirement of level {level}, or it comes twice"));
        }
        if what.is_empty() || how.is_empty() {
            wrong.push(format!("{id}: says nothing"));
        }
        // What stands between backticks and looks like a file is one; after `::`, a test or a function in it.
        for named in how.split('`').skip(1).step_by(2).filter(|named| named.contains('/') && !named.starts_with('/')) {
            let (file, name) = named.split_once("::").unwrap_or((named, ""));
            let path = [root().join(file), root().join("tests").join(file)].into_iter().find(|path| path.exists());
            let Some(path) = path else {
                wrong.push(format!("{id}: there is no {file}"));
                continue;
            };
            if !name.is_empty() && !fs::read_to_string(path).unwrap().contains(&format!("fn {name}(")) {
                wrong.push(format!("{id}: there is no {name} in {file}"));
            }
        }
    }
    assert!(wrong.is_empty() && missing.is_empty(), "{}\nwithout a row: {missing:?}", wrong.join("\n"));
}
