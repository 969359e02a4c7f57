//! `WRITE_AN_ADAPTER.md`, as a stranger would type it: its files, its changes and its commands, in their order.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::program::{command, text_of, workspace};

/// What a block of the page is.
enum Block {
    /// Commands, and whether they have to fail.
    Commands(String, bool),
    File(String, String),
    Change(String),
}

#[test]
fn the_tutorial_leads_from_nothing_to_a_credited_order() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("WRITE_AN_ADAPTER.md")).unwrap();
    let blocks = blocks(&page);
    let count = |wanted: fn(&Block) -> bool| blocks.iter().filter(|block| wanted(block)).count();
    let commands = count(|block| matches!(block, Block::Commands(..)));
    let files = count(|block| matches!(block, Block::File(..)));
    assert!(commands >= 7 && files >= 4 && count(|block| matches!(block, Block::Change(_))) == 1);

    let within = tempfile::tempdir().unwrap();
    let script = within.path().join("tutorial.sh");
    fs::write(&script, as_script(&blocks)).unwrap();
    let mut run = command("timeout", within.path());
    run.args(["300", "bash", "tutorial.sh"]).env("KIT", workspace());
    let said = text_of(run.output().unwrap());
    let parts = [
        "imports no function",
        "PASSED",
        "serving",
        "user successfully registered",
        "orders saved for validation",
        "\"credited\":1",
        "the pool is stopping",
    ];
    for part in parts {
        assert!(said.contains(part), "{part} is not in\n{said}");
    }
    // What openssl said is what the page has as the fixture's signature.
    let sign = page.lines().find_map(|line| line.trim().strip_prefix("\"sign\": \"")).unwrap();
    assert!(said.contains(sign.trim_end_matches("\",")), "{said}");
}

fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut file = None;
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(path) = line.strip_prefix("<!-- file: ") {
            file = Some(path.trim_end_matches(" -->").to_owned());
        }
        let Some(kind) = line.strip_prefix("```") else { continue };
        let text: String = lines
            .by_ref()
            .take_while(|line| *line != "```")
            .fold(String::new(), |text, line| text + line + "\n");
        blocks.push(match (file.take(), kind) {
            (Some(path), _) => Block::File(path, text),
            (None, "sh") => Block::Commands(text, false),
            (None, "sh fails") => Block::Commands(text, true),
            (None, "diff") => Block::Change(text),
            // What needs a key of the reader's own.
            (None, _) => continue,
        });
    }
    blocks
}

fn as_script(blocks: &[Block]) -> String {
    // The page has the reader in the pool's sources; here they are named. What still runs at the end is ended.
    let mut script = "set -euo pipefail\ntrap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n".to_owned();
    script.push_str("alp() { if [ \"$*\" = 'adapter new my_exchange' ]; then set -- \"$@\" --kit \"$KIT\"; fi; command alp \"$@\"; }\n");
    for block in blocks {
        match block {
            Block::Commands(text, false) => script.push_str(text),
            Block::Commands(text, true) => {
                writeln!(script, "if ( {} ); then echo 'this should have failed'; exit 1; fi", text.trim())
                    .unwrap();
            }
            Block::File(path, text) => {
                write!(
                    script,
                    "mkdir -p \"$(dirname {path})\"\ncat > {path} <<'END-OF-FILE'\n{text}END-OF-FILE\n"
                )
                .unwrap();
            }
            Block::Change(text) => script.push_str(&as_edits(text)),
        }
    }
    script
}

/// The hunks of a change as edits that fail if what is to be replaced is not there exactly once.
fn as_edits(change: &str) -> String {
    let mut script = String::new();
    for hunk in change.split("@@\n").skip(1) {
        let part = |mark: char| -> String {
            hunk.lines()
                .filter_map(|line| line.strip_prefix(mark))
                .fold(String::new(), |text, line| text + line + "\n")
        };
        write!(script, "cat > .old <<'END'\n{}END\ncat > .new <<'END'\n{}END\n", part('-'), part('+'))
            .unwrap();
        script.push_str(
            "perl -0777 -i -pe 'BEGIN { local $/; open F, q(.old); $o = <F>; open F, q(.new); $n = <F> } \
             $c += s/\\Q$o\\E/$n/; END { exit($c == 1 ? 0 : 1) }' src/lib.rs\nrm .old .new\n",
        );
    }
    script
}
