//! The published record: what it holds, and what verifying it finds.

mod books;
mod tampering;
mod verifying;
