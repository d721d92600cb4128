//! Documents as data: each `documents/*/*.md` with what was said of it and what was read from it beside it.

use formwork_check::{CheckedFile, analyse_fragment, render_text};
use std::path::{Path, PathBuf};

fn documents() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("documents");
    let list = |folder: &Path| -> Vec<PathBuf> {
        let listed = std::fs::read_dir(folder).expect("the folder is there");
        listed.map(|entry| entry.expect("it can be listed").path()).collect()
    };
    let mut found: Vec<PathBuf> =
        list(&folder).iter().filter(|path| path.is_dir()).flat_map(|path| list(path)).collect();
    found.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    found.sort();
    found
}

#[test]
fn each_document_gives_the_reviewed_findings_and_model() {
    let documents = documents();
    assert!(documents.len() >= 5, "the documents are where this test looks for them");
    for path in documents {
        let source = std::fs::read_to_string(&path).expect("a document is UTF-8");
        let name = path.file_stem().expect("it has a name").to_string_lossy().into_owned();
        let analysis = analyse_fragment(source.into());
        let said = render_text(&[CheckedFile { path: &format!("{name}.md"), analysis: &analysis }], false);
        let model = serde_json::to_string_pretty(&formwork_export::model(&analysis)).expect("it is JSON");
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(path.parent().expect("it has a folder"));
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| {
            insta::assert_snapshot!(format!("{name}.diag"), said);
            insta::assert_snapshot!(format!("{name}.model"), model);
        });
    }
}
