//! The words of the portal's first edition, a private dialect that its readers did not understand: none of them
//! comes back into a page, a message or an advice.

use std::fs;
use std::path::{Path, PathBuf};

/// The sentences of the first edition, one a line, without values.
const SENTENCES: &str = include_str!("first_edition.txt");

/// Where sentences for readers stand.
const FOLDERS: [&str; 7] = [
    "webhook-portal/templates",
    "webhook-portal/assets",
    "webhook-portal/src",
    "webhook-admin/src",
    "webhook-domain/src",
    "webhook-web/src",
    "webhook-api/src",
];

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder of the workspace");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let files = paths.flat_map(|path| {
        if path.is_dir() {
            files_in(&path)
        } else {
            vec![path]
        }
    });
    files.collect()
}

/// The lines of a file that hold `sentence`. Comments of Rust are no sentences for readers of pages.
fn lines_with<'a>(text: &'a str, sentence: &str) -> Vec<&'a str> {
    let lines = text.lines().map(str::trim);
    let lines = lines.filter(|line| line.contains(sentence) && !line.starts_with("//"));
    lines.collect()
}

#[test]
fn no_sentence_of_the_first_edition_is_left() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates");
    let files: Vec<_> = FOLDERS
        .iter()
        .flat_map(|f| files_in(&crates.join(f)))
        .collect();
    assert!(files.len() > 300, "only {} files are read", files.len());

    let mut left = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap_or_default();
        for sentence in SENTENCES.lines() {
            for line in lines_with(&text, sentence) {
                left.push(format!("{}: {line}", file.display()));
            }
        }
    }
    assert!(left.is_empty(), "{}", left.join("\n"));
}
