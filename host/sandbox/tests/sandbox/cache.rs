//! The folder of compiled adapters: nothing is run from it that was not put there by this program.

use std::fs::{Permissions, read, read_dir, write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use alp_sandbox::{CacheError, LoadError, Sandbox, SandboxError};

use crate::guests::Guest;
use crate::{compiler, load, no_compiler, small, submission};

/// Compiles one adapter and returns the file that was kept.
async fn filled(folder: &Path) -> PathBuf {
    let sandbox = Sandbox::new(small(), compiler(folder)).unwrap();
    load(&sandbox, Guest::named("good").component()).await;
    let mut files: Vec<_> =
        read_dir(folder.join("compiled")).unwrap().map(|file| file.unwrap().path()).collect();
    assert_eq!(files.len(), 1);
    files.remove(0)
}

#[tokio::test]
async fn what_was_compiled_once_is_not_compiled_again() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path()).await;
    let sandbox = Sandbox::new(small(), no_compiler(folder.path())).unwrap();
    let adapter = load(&sandbox, Guest::named("good").component()).await;
    adapter.start(&submission()).await.unwrap().unwrap();
    let other = sandbox.load(Guest::named("other").component()).await.unwrap_err();
    assert!(matches!(other, LoadError::Compiler(_)), "{other}");
}

#[tokio::test]
async fn a_file_that_was_tampered_with_is_compiled_again_and_never_run() {
    let folder = tempfile::tempdir().unwrap();
    let file = filled(folder.path()).await;
    let genuine = read(&file).unwrap();
    let last = genuine.len() - 1;
    let mut flipped = genuine.clone();
    flipped[last] ^= 1;
    let mut other_code = genuine.clone();
    other_code[0] ^= 1;
    let tampered = [flipped, other_code, genuine[..last].to_vec(), genuine[32..].to_vec(), vec![]];
    for bytes in tampered {
        write(&file, &bytes).unwrap();
        // Without a compiler it is refused, so it did not come from the file.
        let sandbox = Sandbox::new(small(), no_compiler(folder.path())).unwrap();
        let error = sandbox.load(Guest::named("good").component()).await.unwrap_err();
        assert!(matches!(error, LoadError::Compiler(_)), "{error}");
        assert_eq!(filled(folder.path()).await, file);
        assert_eq!(read(&file).unwrap()[32..], genuine[32..]);
    }
}

#[tokio::test]
async fn the_compiled_file_of_one_adapter_does_not_pass_for_another() {
    let folder = tempfile::tempdir().unwrap();
    let good = filled(folder.path()).await;
    let sandbox = Sandbox::new(small(), compiler(folder.path())).unwrap();
    load(&sandbox, Guest::named("other").component()).await;
    let other = read_dir(folder.path().join("compiled"))
        .unwrap()
        .map(|file| file.unwrap().path())
        .find(|file| *file != good)
        .unwrap();
    std::fs::copy(&good, &other).unwrap();
    let adapter = load(&sandbox, Guest::named("other").component()).await;
    assert_eq!(adapter.description().exchange, "other");
}

#[tokio::test]
async fn without_its_key_nothing_in_the_folder_is_used() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path()).await;
    std::fs::remove_file(folder.path().join("compiled.key")).unwrap();
    let sandbox = Sandbox::new(small(), no_compiler(folder.path())).unwrap();
    sandbox.load(Guest::named("good").component()).await.unwrap_err();
}

#[test]
fn folder_and_key_are_closed_to_others() {
    let folder = tempfile::tempdir().unwrap();
    let compiled = folder.path().join("compiled");
    std::fs::create_dir(&compiled).unwrap();
    std::fs::set_permissions(&compiled, Permissions::from_mode(0o777)).unwrap();
    Sandbox::new(small(), compiler(folder.path())).unwrap();
    assert_eq!(compiled.metadata().unwrap().mode() & 0o777, 0o700);
    let key = folder.path().join("compiled.key");
    assert_eq!(key.metadata().unwrap().mode() & 0o777, 0o600);
    assert_eq!(key.metadata().unwrap().len(), 32);
}

#[test]
fn a_key_that_others_can_read_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("compiled.key");
    write(&key, [7; 32]).unwrap();
    std::fs::set_permissions(&key, Permissions::from_mode(0o644)).unwrap();
    let error = Sandbox::new(small(), compiler(folder.path())).err().unwrap();
    assert!(matches!(error, SandboxError::Cache(CacheError::Unsafe { .. })), "{error:?}");
}

#[tokio::test]
async fn what_was_found_out_about_a_component_is_remembered_for_it_alone() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::new(small(), compiler(folder.path())).unwrap();
    let good = load(&sandbox, Guest::named("good").component()).await;
    let other = load(&sandbox, Guest::named("other").component()).await;
    assert!(!sandbox.remembers("passed", &good).await);
    sandbox.remember("passed", &good).await;
    let again = Sandbox::new(small(), no_compiler(folder.path())).unwrap();
    assert!(again.remembers("passed", &good).await);
    assert!(!again.remembers("passed more", &good).await);
    assert!(!again.remembers("passed", &other).await);
}

#[tokio::test]
async fn a_note_that_was_forged_does_not_count() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::new(small(), compiler(folder.path())).unwrap();
    let good = load(&sandbox, Guest::named("good").component()).await;
    let other = load(&sandbox, Guest::named("other").component()).await;
    sandbox.remember("passed", &good).await;
    let notes = || -> Vec<PathBuf> {
        let files = read_dir(folder.path().join("compiled")).unwrap().map(|file| file.unwrap().path());
        files.filter(|file| file.extension().is_some_and(|ending| ending == "fact")).collect()
    };
    let [note] = notes().try_into().unwrap();
    let genuine = read(&note).unwrap();
    // Another component's note in its place.
    sandbox.remember("passed", &other).await;
    let foreign = notes().into_iter().find(|file| *file != note).unwrap();
    let mut flipped = genuine.clone();
    flipped[0] ^= 1;
    for forged in
        [read(foreign).unwrap(), flipped, genuine[..31].to_vec(), vec![], [&genuine[..], b"0"].concat()]
    {
        write(&note, forged).unwrap();
        assert!(!sandbox.remembers("passed", &good).await);
    }
    write(&note, genuine).unwrap();
    assert!(sandbox.remembers("passed", &good).await);
}
