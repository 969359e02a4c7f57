//! The engine, the ticks that bound a call's time, and the store that one call lives in.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::Semaphore;
use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, ResourceLimiter, Store,
    Trap, UpdateDeadline,
};

use crate::cache::CacheError;
use crate::lane::SlowLane;
use crate::limits::Limits;

/// How much of a memory slot stays resident between calls: most calls then cause no page faults. It costs
/// at most this times `Limits::concurrent_calls`.
const KEEP_RESIDENT_BYTES: usize = 1 << 20;

/// The size of an element of a table in bytes. A table is wiped in place between calls: giving its pages back
/// to the system costs more than the rest of a short call, because every core has to be told.
const TABLE_ELEMENT_BYTES: usize = 8;

/// Why there is no sandbox. For the operator.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The engine does not start: as a rule the machine does not grant the address space.
    #[error("the WebAssembly engine does not start: {0}")]
    Engine(String),
    /// The thread that counts ticks does not start.
    #[error("the thread that limits the time of calls does not start")]
    Ticker(#[source] std::io::Error),
    /// The folder for compiled adapters cannot be used.
    #[error("the folder for compiled adapters cannot be used")]
    Cache(#[from] CacheError),
}

/// What all adapters of one sandbox share.
pub(crate) struct Runtime {
    pub(crate) engine: Engine,
    pub(crate) limits: Limits,
    /// As many permits as the pool has room for.
    pub(crate) slots: Semaphore,
    /// Where slow calls run.
    pub(crate) slow_lane: SlowLane,
    _ticker: Ticker,
}

impl Runtime {
    pub(crate) fn new(limits: Limits) -> Result<Self, SandboxError> {
        let engine = pooling_engine(&limits).map_err(|e| SandboxError::Engine(format!("{e:#}")))?;
        let ticker = Ticker::start(engine.clone(), Duration::from_millis(limits.tick_ms))
            .map_err(SandboxError::Ticker)?;
        let permits = usize::try_from(limits.concurrent_calls.max(1)).unwrap_or(1);
        Ok(Self {
            engine,
            slots: Semaphore::new(permits),
            slow_lane: SlowLane::new(),
            limits,
            _ticker: ticker,
        })
    }

    /// A store for one call, with every limit set.
    pub(crate) fn store(&self) -> Store<Guest> {
        let mut store = Store::new(&self.engine, Guest::new(&self.limits));
        store.limiter(|guest| guest);
        store.set_hostcall_fuel(self.limits.answer_bytes);
        store.set_max_component_handles(self.limits.component_handles);
        store.set_epoch_deadline(1);
        let allowed = self.limits.ticks_per_call;
        let mut used = 0_u32;
        // Counted are the ticks in which the guest ran, not those in which it waited for its turn: a call
        // is not blamed for its neighbours.
        store.epoch_deadline_callback(move |mut context| {
            used = used.saturating_add(1);
            if used >= allowed {
                context.data_mut().out_of_time = true;
                return Err(Trap::Interrupt.into());
            }
            // The runtime's own way of yielding, not the engine's: it also lets sockets and timers be served
            // before this call goes on.
            Ok(UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now())))
        });
        store
    }
}

/// The engine that runs adapters: instances come from a pool with a fixed number of slots.
fn pooling_engine(limits: &Limits) -> wasmtime::Result<Engine> {
    let calls = limits.concurrent_calls.max(1);
    let mut pool = PoolingAllocationConfig::default();
    pool.total_component_instances(calls)
        .total_stacks(calls)
        .total_core_instances(calls.saturating_mul(limits.core_instances))
        .total_memories(calls.saturating_mul(limits.memories))
        .total_tables(calls.saturating_mul(limits.tables))
        .max_core_instances_per_component(limits.core_instances)
        .max_memories_per_component(limits.memories)
        .max_memories_per_module(limits.memories)
        .max_tables_per_component(limits.tables)
        .max_tables_per_module(limits.tables)
        .table_elements(limits.table_elements)
        .max_memory_size(limits.memory_bytes)
        .linear_memory_keep_resident(KEEP_RESIDENT_BYTES)
        .table_keep_resident(limits.table_elements.saturating_mul(TABLE_ELEMENT_BYTES))
        .pagemap_scan(Enabled::Auto);
    let mut config = common_config(limits);
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    Engine::new(&config)
}

/// The engine that only compiles, in a process whose address space has no room for a pool.
pub(crate) fn compiling_engine(limits: &Limits) -> wasmtime::Result<Engine> {
    Engine::new(&common_config(limits))
}

/// What both engines must agree on for one to run what the other compiled.
fn common_config(limits: &Limits) -> Config {
    let mut config = Config::new();
    config
        .concurrency_support(false)
        .epoch_interruption(true)
        .max_wasm_stack(limits.stack_bytes)
        .async_stack_size(limits.call_stack_bytes)
        // Names in a trace are the guest's own text.
        .wasm_backtrace_max_frames(None)
        // The same arguments give the same answer on every machine.
        .cranelift_nan_canonicalization(true)
        .relaxed_simd_deterministic(true);
    config
}

/// What the store knows about its guest.
pub(crate) struct Guest {
    memory_left: usize,
    table_elements: usize,
    instances: usize,
    tables: usize,
    memories: usize,
    /// It asked for more memory than there is for it.
    pub(crate) out_of_memory: bool,
    /// It asked for a larger table than there is for it.
    pub(crate) out_of_table: bool,
    /// It used all its ticks.
    pub(crate) out_of_time: bool,
}

impl Guest {
    fn new(limits: &Limits) -> Self {
        let count = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        Self {
            memory_left: limits.memory_bytes,
            table_elements: limits.table_elements,
            instances: count(limits.core_instances),
            tables: count(limits.tables),
            memories: count(limits.memories),
            out_of_memory: false,
            out_of_table: false,
            out_of_time: false,
        }
    }
}

/// Bounds a guest's memories by their sum; the engine's own limiter bounds each of them.
impl ResourceLimiter for Guest {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let more = desired.saturating_sub(current);
        let fits = more <= self.memory_left;
        if fits && maximum.is_none_or(|maximum| desired <= maximum) {
            self.memory_left = self.memory_left.saturating_sub(more);
            return Ok(true);
        }
        self.out_of_memory |= !fits;
        Ok(false)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let fits = desired <= self.table_elements;
        self.out_of_table |= !fits;
        Ok(fits && maximum.is_none_or(|maximum| desired <= maximum))
    }

    fn instances(&self) -> usize {
        self.instances
    }

    fn tables(&self) -> usize {
        self.tables
    }

    fn memories(&self) -> usize {
        self.memories
    }
}

/// A thread that advances the engine's clock until it is dropped.
struct Ticker {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Ticker {
    fn start(engine: Engine, tick: Duration) -> Result<Self, std::io::Error> {
        let (stop, stopped) = channel::<()>();
        let thread = std::thread::Builder::new().name("alp-ticks".to_owned()).spawn(move || {
            while stopped.recv_timeout(tick) == Err(RecvTimeoutError::Timeout) {
                engine.increment_epoch();
            }
        })?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // It can only have ended: there is nothing in it that fails.
            let _ = thread.join();
        }
    }
}
