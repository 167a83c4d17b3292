//! The workspace's README shows the example that is in the repository, and no other.

use std::fs;
use std::path::Path;

#[test]
fn the_workspace_readme_shows_the_example_that_runs() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(here.join("../../README.md")).unwrap();
    let example = fs::read_to_string(here.join("examples/statuses.rs")).unwrap();
    let (_, shown) = readme
        .split_once("```rust\n")
        .expect("the README has an example");
    let (shown, _) = shown.split_once("```").expect("the example ends");
    let (_, runs) = example
        .split_once("\n\n")
        .expect("the file begins with its documentation");
    assert_eq!(
        shown, runs,
        "README.md and crates/memstats/examples/statuses.rs differ"
    );
}
