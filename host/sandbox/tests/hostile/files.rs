//! Files that are no adapters at all.

use crate::guests::Guest;
use crate::runner::{Case, When, run};

fn good() -> Vec<u8> {
    Guest::named("hostile").component()
}

/// Bytes that look like noise and are the same each time: a linear congruential generator.
fn noise(bytes: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    std::iter::repeat_with(next).take(bytes).collect()
}

/// A good component with one bit turned, at so many sixteenths of its length.
fn flipped<const SIXTEENTHS: usize>() -> Vec<u8> {
    let mut bytes = good();
    let at = bytes.len() * SIXTEENTHS / 16;
    bytes[at] ^= 0x40;
    bytes
}

fn refused(name: &'static str, file: fn() -> Vec<u8>, stopped_by: &'static [&'static str]) -> Case {
    Case { name, file, when: When::Load, stopped_by }
}

#[test]
fn files_that_are_no_components_are_refused_by_what_they_are() {
    let either = |name, file| Case { name, file, when: When::LoadOrNever, stopped_by: &[] };
    run(&[
        refused("an empty file", Vec::new, &["the file is empty"]),
        refused("five bytes", || good()[..5].to_vec(), &["damaged"]),
        refused("half a component", || good()[..good().len() / 2].to_vec(), &["damaged"]),
        refused("a component without its last byte", || good()[..good().len() - 1].to_vec(), &["damaged"]),
        refused(
            "a core module",
            || Guest::named("hostile").core_module(),
            &["a WebAssembly module, not a component"],
        ),
        refused("a page that says 404", || b"<html>404 Not Found</html>".to_vec(), &["the file is text"]),
        refused("random bytes", || noise(65_536), &["not a WebAssembly component"]),
        refused("random bytes after a component's header", header_and_noise, &["damaged"]),
        refused("native code", || b"\x7fELF\x02\x01\x01\0and more".to_vec(), &["native code"]),
        refused("48 MiB and a byte", too_large, &["larger than 50331648 bytes"]),
        either("a bit turned at 1/16", flipped::<1>),
        either("a bit turned at 4/16", flipped::<4>),
        either("a bit turned at 7/16", flipped::<7>),
        either("a bit turned at 10/16", flipped::<10>),
        either("a bit turned at 13/16", flipped::<13>),
    ]);
}

fn header_and_noise() -> Vec<u8> {
    [&good()[..8], &noise(4_096)].concat()
}

fn too_large() -> Vec<u8> {
    let mut bytes = good();
    bytes.resize((48 << 20) + 1, 0);
    bytes
}
