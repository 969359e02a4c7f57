//! Whose key: what proves an address, what does not, and who is paid where meanwhile.

mod attacks;
mod bot;
mod changes;
mod scene;
