//! Every limit on a foreign file and on a foreign call, with the reason for its number.

/// What an adapter may use. The defaults fit adapters written in Rust, JavaScript and Python alike.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Memory of one call in bytes, all its memories together. 64 MiB: a JavaScript engine starts at
    /// 9 MiB and Python at 13; the rest is room for the largest reply and what is made of it.
    pub memory_bytes: usize,
    /// Core instances within one component. 64: Python needs 40, Rust one.
    pub core_instances: u32,
    /// Memories within one component. 4: a JavaScript engine needs 3.
    pub memories: u32,
    /// Tables within one component. 16: twice what any toolchain was seen to make.
    pub tables: u32,
    /// Elements of one table. 20 000: Python's largest has 7 688.
    pub table_elements: usize,
    /// Bytes the host copies out of the guest for one answer. 4 MiB: five thousand orders are under one.
    /// It is checked before the host allocates; the engine's own default would let one call cost 128 MiB.
    pub answer_bytes: usize,
    /// Resource handles alive in one call. 64: version 1 of the contract has no resources at all.
    pub component_handles: usize,
    /// The guest's stack in bytes. 512 KiB: the engine's default, and far more than parsing needs.
    pub stack_bytes: usize,
    /// The stack of a call in bytes, guest and host parts together. 2 MiB: the engine's default.
    pub call_stack_bytes: usize,
    /// The length of a tick in milliseconds. After each, a guest lets others run. 10: short enough that
    /// nobody notices, long enough that the thread which counts costs nothing.
    pub tick_ms: u64,
    /// How many ticks a call may run. 20, so 200 ms: a call takes a tenth of a millisecond in Rust and
    /// three in Python; much less would hit the innocent on a busy machine.
    pub ticks_per_call: u32,
    /// Calls running at once; more of them wait. 64: many times the cores there are, and 4 GiB if every
    /// one of them used all its memory.
    pub concurrent_calls: u32,
    /// Calls of one adapter running at once. 16: one adapter that loops must not keep all others waiting.
    pub concurrent_calls_per_adapter: u32,
    /// The size of a component's file in bytes. 48 MiB: Python makes 19, JavaScript 12, Rust a tenth of one.
    pub file_bytes: u64,
    /// Components within a component. 64: a JavaScript engine has 24, and compiling is exponential in them.
    pub nested_components: usize,
    /// How deep components may be nested. 4: toolchains go to 2.
    pub nesting_depth: usize,
    /// What compiling may cost.
    pub compile: CompileLimits,
    /// The length of texts and lists in what an adapter answers.
    pub text: TextLimits,
}

/// What the process that compiles may use. The compiler is the one part that the engine does not bound: a
/// component of two kilobytes can ask it for all memory there is.
#[derive(Clone, Debug)]
pub struct CompileLimits {
    /// Address space in bytes. 2 GiB: Python's interpreter takes 420 MiB.
    pub memory_bytes: u64,
    /// Processor time in seconds. 30: three times what the largest known adapter needs.
    pub cpu_seconds: u64,
    /// Time by the clock in milliseconds. 120 000: what compiling costs is bounded by the processor time above; this
    /// ends what waits instead of working. Python's nine seconds of work take over a minute where everything else is
    /// busy, too.
    pub wall_ms: u64,
    /// The compiled file in bytes. 256 MiB: seven times the largest known.
    pub output_bytes: u64,
}

/// Bounds on what an adapter's answers hold, beyond their total size.
#[derive(Clone, Debug)]
pub struct TextLimits {
    /// The notes that an adapter hands itself from one step to the next, in bytes. 64 KiB: the known
    /// adapters use under one.
    pub state_bytes: usize,
    /// Orders in one answer. 5000: ten times the most that an exchange lets one account have open.
    pub orders: usize,
    /// One text within an order in bytes. 256: ids are at most 64, decimals at most 40.
    pub order_text_bytes: usize,
    /// One request, all its parts together, in bytes. 64 KiB: servers refuse longer ones.
    pub request_bytes: usize,
    /// Fields in one list of a request or of `extras`. 64: the longest known request has 12.
    pub fields: usize,
    /// Signed requests in one submission. 512: there are exchanges where each open order takes one.
    pub signed_requests: usize,
    /// A message for people, in characters; longer ones are cut. 500: a long sentence.
    pub message_chars: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes: 64 << 20,
            core_instances: 64,
            memories: 4,
            tables: 16,
            table_elements: 20_000,
            answer_bytes: 4 << 20,
            component_handles: 64,
            stack_bytes: 512 << 10,
            call_stack_bytes: 2 << 20,
            tick_ms: 10,
            ticks_per_call: 20,
            concurrent_calls: 64,
            concurrent_calls_per_adapter: 16,
            file_bytes: 48 << 20,
            nested_components: 64,
            nesting_depth: 4,
            compile: CompileLimits::default(),
            text: TextLimits::default(),
        }
    }
}

impl Default for CompileLimits {
    fn default() -> Self {
        Self { memory_bytes: 2 << 30, cpu_seconds: 30, wall_ms: 120_000, output_bytes: 256 << 20 }
    }
}

impl Default for TextLimits {
    fn default() -> Self {
        Self {
            state_bytes: 64 << 10,
            orders: 5_000,
            order_text_bytes: 256,
            request_bytes: 64 << 10,
            fields: 64,
            signed_requests: 512,
            message_chars: 500,
        }
    }
}

impl Limits {
    /// How long a call may run, in milliseconds.
    #[must_use]
    pub fn call_ms(&self) -> u64 {
        self.tick_ms.saturating_mul(u64::from(self.ticks_per_call))
    }
}
