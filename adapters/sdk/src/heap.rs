//! Where an adapter's memory comes from: an arena that is part of the component from its start.
//!
//! A component that grows its memory during a call makes the host change the protection of pages, and every core
//! has to be told; that costs more than a short call itself. A call that fits into the arena grows nothing. What
//! does not fit comes from the standard allocator, as it would without the arena. Nothing but the newest block is
//! ever given back to it: a call is one instance, and all of its memory goes with it. An adapter cannot name another
//! global allocator beside this one.
#![allow(unsafe_code, reason = "an allocator hands out raw memory")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The arena in bytes: a reply with some hundred orders, and everything that is made of it.
const ARENA_BYTES: usize = 256 * 1024;

#[global_allocator]
static HEAP: Heap = Heap { arena: UnsafeCell::new([0; ARENA_BYTES]), used: AtomicUsize::new(0) };

/// The arena, and how many bytes of it are used. It is all zeros, so it takes no room in the component's file.
#[repr(C, align(16))]
struct Heap {
    arena: UnsafeCell<[u8; ARENA_BYTES]>,
    used: AtomicUsize,
}

// SAFETY: a component has one thread.
unsafe impl Sync for Heap {}

impl Heap {
    /// The offset of a block in the arena, if it is one of the arena's.
    fn offset(&self, block: *mut u8) -> Option<usize> {
        block.addr().checked_sub(self.arena.get().addr()).filter(|offset| *offset < ARENA_BYTES)
    }

    /// Whether a block is the newest one.
    fn is_last(&self, offset: usize, layout: Layout) -> bool {
        offset.checked_add(layout.size()) == Some(self.used.load(Ordering::Relaxed))
    }

    /// The end of a block of this size at this offset, if it fits.
    fn end(offset: usize, size: usize) -> Option<usize> {
        offset.checked_add(size).filter(|end| *end <= ARENA_BYTES)
    }
}

// SAFETY: blocks of the arena do not overlap: each begins at or after `used`, which is then moved to its end, and
// only moves back to the beginning of the newest block when that is given back. All others are the standard
// allocator's, and go back to it.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let base = self.arena.get().cast::<u8>();
        let free = base.wrapping_add(self.used.load(Ordering::Relaxed));
        let offset = self.offset(free.wrapping_add(free.align_offset(layout.align())));
        match offset.and_then(|offset| Some((offset, Self::end(offset, layout.size())?))) {
            Some((offset, end)) => {
                self.used.store(end, Ordering::Relaxed);
                base.wrapping_add(offset)
            }
            // SAFETY: the caller's promises are the same.
            None => unsafe { System.alloc(layout) },
        }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        match self.offset(block) {
            Some(offset) if self.is_last(offset, layout) => self.used.store(offset, Ordering::Relaxed),
            Some(_) => {}
            // SAFETY: what is not of the arena came from the standard allocator.
            None => unsafe { System.dealloc(block, layout) },
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let Some(offset) = self.offset(block) else {
            // SAFETY: what is not of the arena came from the standard allocator.
            return unsafe { System.realloc(block, layout, size) };
        };
        if self.is_last(offset, layout)
            && let Some(end) = Self::end(offset, size)
        {
            self.used.store(end, Ordering::Relaxed);
            return block;
        }
        // SAFETY: `size` with this alignment is a layout, as the caller promises; the two blocks do not overlap.
        unsafe {
            let moved = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
            if !moved.is_null() {
                block.copy_to_nonoverlapping(moved, layout.size().min(size));
                self.dealloc(block, layout);
            }
            moved
        }
    }
}
