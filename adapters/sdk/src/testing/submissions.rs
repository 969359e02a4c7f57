//! Submissions that are not as they should be, for tests of what an adapter refuses.

// Only tests call this, and a test stops at the first thing that is not as expected: each function here is an
// assertion, which fails at the line of the test that called it.
#![allow(clippy::panic, reason = "an assertion panics")]

use std::marker::PhantomData;
use std::path::Path;

use super::{Native, native, sign_first_call};
use crate::{Adapter, Fault, Member, OrderList, Pending, Reply, Scalar, Step, Submission};

/// What a bot might submit to the adapter `A`, and what `A` makes of it. A test changes one thing about a
/// submission that is good, so that a refusal can have no other cause.
///
/// ```no_run
/// # fn test<Gate: alp_adapter::Adapter>() {
/// use alp_adapter::testing::Submissions;
///
/// let gate = Submissions::<Gate>::of_crate(env!("CARGO_MANIFEST_DIR"));
/// let words = gate.refuses_text("currency_pair", "BTC_USDT");
/// assert!(words.contains("`BTC_USDT`"), "{words}");
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Submissions<A> {
    crate_folder: &'static str,
    adapter: PhantomData<A>,
}

impl<A: Adapter> Submissions<A> {
    /// Those that go back to the first signed call in the folder `fixtures` of the crate in this folder.
    pub const fn of_crate(crate_folder: &'static str) -> Self {
        Submissions { crate_folder, adapter: PhantomData }
    }

    /// The submission that is as it should be: what `sign` makes of the first signed call.
    ///
    /// # Panics
    /// If the folder cannot be read or the call not be signed.
    #[track_caller]
    pub fn good(&self) -> Submission {
        let fixtures = Path::new(self.crate_folder).join("fixtures");
        match sign_first_call(&Native::<A>::new(), &fixtures) {
            Ok((ask, message)) => native::submission(&ask, &message),
            Err(why) => panic!("{why}"),
        }
    }

    /// The good submission with this member, in place of any of that name.
    ///
    /// # Panics
    /// As [`good`](Self::good).
    #[track_caller]
    pub fn with(&self, member: Member) -> Submission {
        let mut submission = self.good();
        submission.members.retain(|other| other.name != member.name);
        submission.members.push(member);
        submission
    }

    /// The good submission without the members of these names.
    ///
    /// # Panics
    /// As [`good`](Self::good), and if it has no member of such a name, so that nothing would be left out.
    #[track_caller]
    pub fn without(&self, names: &[&str]) -> Submission {
        let mut submission = self.good();
        for name in names {
            let before = submission.members.len();
            submission.members.retain(|member| member.name != *name);
            assert!(submission.members.len() < before, "the good submission has no member `{name}`");
        }
        submission
    }

    /// The words in which `start` refuses a submission as the bot's mistake.
    ///
    /// # Panics
    /// If it accepts it, or gives anyone else the fault.
    #[track_caller]
    pub fn refuses(&self, submission: Submission) -> String {
        match A::start(submission) {
            Err(Fault::Unusable(words)) => words,
            Err(fault) => panic!("it should be unusable, is {fault:?}"),
            Ok(_) => panic!("it should be unusable, is accepted"),
        }
    }

    /// As [`refuses`](Self::refuses), of the good submission with this JSON string as a member.
    ///
    /// # Panics
    /// If it is not refused.
    #[track_caller]
    pub fn refuses_text(&self, name: &str, text: impl Into<String>) -> String {
        self.refuses(self.with(Member::text(name, text)))
    }

    /// As [`refuses`](Self::refuses), of the good submission with this JSON number as a member, spelled so.
    ///
    /// # Panics
    /// If it is not refused.
    #[track_caller]
    pub fn refuses_number(&self, name: &str, number: &str) -> String {
        self.refuses(self.with(Member { name: name.to_owned(), value: Scalar::Number(number.to_owned()) }))
    }

    /// What `resume` makes of a reply to the good submission, given these notes of an earlier step.
    ///
    /// # Errors
    /// The adapter's own.
    ///
    /// # Panics
    /// As [`good`](Self::good).
    #[track_caller]
    pub fn resume(&self, state: &[u8], status: u16, body: &str) -> Result<Step, Fault> {
        let reply = Reply { status, headers: Vec::new(), body: body.as_bytes().to_vec() };
        A::resume(self.good(), state.to_vec(), reply)
    }

    /// The list that `resume` reads from the first reply to this submission, with status 200.
    ///
    /// # Errors
    /// The adapter's own.
    ///
    /// # Panics
    /// If it wants to go on instead.
    #[track_caller]
    pub fn read(&self, submission: Submission, body: &str) -> Result<OrderList, Fault> {
        let reply = Reply { status: 200, headers: Vec::new(), body: body.as_bytes().to_vec() };
        Ok(orders_of(A::resume(submission, Vec::new(), reply)?))
    }

    /// The list in a reply to the good submission, with status 200.
    ///
    /// # Panics
    /// If there is none.
    #[track_caller]
    pub fn list(&self, body: &str) -> OrderList {
        match self.read(self.good(), body) {
            Ok(list) => list,
            Err(fault) => panic!("it should be a list, is {fault:?}"),
        }
    }

    /// Whose fault it is that a reply to the good submission, with status 200, has no list in it.
    ///
    /// # Panics
    /// If it has one.
    #[track_caller]
    pub fn fault(&self, body: &str) -> Fault {
        match self.read(self.good(), body) {
            Ok(list) => panic!("it should be a fault, is {list:?}"),
            Err(fault) => fault,
        }
    }
}

/// The request that a step sends, signed, and the notes that go with it.
///
/// # Panics
/// If it sends none.
#[track_caller]
pub fn pending_of(step: Step) -> Pending {
    match step {
        Step::Send(pending) => pending,
        Step::LookUp(look_up) => panic!("it should send, looks up `{}`", look_up.request.call),
        Step::Orders(list) => panic!("it should send, is done with {list:?}"),
    }
}

/// The list that a step ends with.
///
/// # Panics
/// If it is not the last step.
#[track_caller]
pub fn orders_of(step: Step) -> OrderList {
    match step {
        Step::Orders(list) => list,
        Step::Send(pending) => panic!("it should be done, sends `{}`", pending.request.call),
        Step::LookUp(look_up) => panic!("it should be done, looks up `{}`", look_up.request.call),
    }
}
