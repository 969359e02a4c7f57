//! The client's `req`: its declared members, and nothing else, comes out of here.
//!
//! The pool forwards what a stranger sent. So an adapter declares each member that the exchange signs, with the
//! characters it can have, and a submission with anything else in it is refused with a sentence that says what
//! would be right. Values are not repeated in these sentences: some are passphrases.

use crate::reply::clean;
use crate::{Fault, Scalar, SignQuery, Submission};

/// Longer names, symbols and times do not exist.
const MAX_TEXT: usize = 64;
/// The digits of the largest 64-bit number.
const MAX_DIGITS: usize = 20;
/// API keys are up to a hundred characters long at the exchanges known so far.
const MAX_USER: usize = 256;

/// Which characters a text can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chars {
    /// `A`-`Z` and digits.
    Capitals,
    /// `a`-`z` and digits.
    Small,
    /// Letters, digits and `-_:/`: every spelling of a market.
    Symbol,
    /// Letters, digits and `-._~`: what needs no encoding in a query.
    Token,
    /// Letters, digits and `-._~:+/=`: times, base64.
    Encoded,
    /// Everything from `!` to `~` in ASCII.
    Visible,
    /// As `Visible`, and blanks.
    Printable,
}

/// One member that `req` can have.
#[derive(Clone, Copy, Debug)]
pub struct Declared {
    name: &'static str,
    kind: Kind,
    at_most: usize,
    is_optional: bool,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Digits,
    Text(Chars),
    Exactly(&'static str),
}

/// A whole number, as a JSON number or as text: the digits are what is signed.
pub const fn digits(name: &'static str) -> Declared {
    Declared { name, kind: Kind::Digits, at_most: MAX_DIGITS, is_optional: false }
}

/// A text of at most 64 of these characters.
pub const fn text(name: &'static str, chars: Chars) -> Declared {
    Declared { name, kind: Kind::Text(chars), at_most: MAX_TEXT, is_optional: false }
}

/// A value that can only be this one, such as the name of a command.
pub const fn exactly(name: &'static str, value: &'static str) -> Declared {
    Declared { name, kind: Kind::Exactly(value), at_most: MAX_TEXT, is_optional: false }
}

impl Declared {
    /// May be left out; then its value is the empty text, which is no value otherwise.
    #[must_use]
    pub const fn optional(mut self) -> Self {
        self.is_optional = true;
        self
    }

    /// Another limit on its length in bytes.
    #[must_use]
    pub const fn at_most(mut self, bytes: usize) -> Self {
        self.at_most = bytes;
        self
    }

    fn check<'s>(&self, value: &'s Scalar) -> Result<&'s str, Fault> {
        let (written, is_number) = match value {
            Scalar::Text(written) => (written.as_str(), false),
            Scalar::Number(written) => (written.as_str(), true),
        };
        let fits = match self.kind {
            Kind::Digits => written.bytes().all(|byte| byte.is_ascii_digit()),
            Kind::Text(chars) => !is_number && chars.allow(written),
            Kind::Exactly(only) => written == only,
        };
        if fits && !written.is_empty() && written.len() <= self.at_most {
            return Ok(written);
        }
        let name = self.name;
        Err(Fault::Unusable(match self.kind {
            Kind::Digits => {
                format!("`req.{name}` should be a whole number of at most {} digits", self.at_most)
            }
            Kind::Text(chars) => {
                let kind = if is_number { "a text, not a number, of" } else { "a text of" };
                format!("`req.{name}` should be {kind} 1 to {} characters: {}", self.at_most, chars.words())
            }
            Kind::Exactly(only) => {
                format!("`req.{name}` should be `{only}`, which is all that this pool asks for")
            }
        }))
    }
}

impl Chars {
    fn allow(self, text: &str) -> bool {
        text.bytes().all(|byte| match self {
            Chars::Capitals => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
            Chars::Small => byte.is_ascii_lowercase() || byte.is_ascii_digit(),
            Chars::Symbol => byte.is_ascii_alphanumeric() || b"-_:/".contains(&byte),
            Chars::Token => byte.is_ascii_alphanumeric() || b"-._~".contains(&byte),
            Chars::Encoded => byte.is_ascii_alphanumeric() || b"-._~:+/=".contains(&byte),
            Chars::Visible => byte.is_ascii_graphic(),
            Chars::Printable => byte.is_ascii_graphic() || byte == b' ',
        })
    }

    const fn words(self) -> &'static str {
        match self {
            Chars::Capitals => "capital letters and digits",
            Chars::Small => "small letters and digits",
            Chars::Symbol => "letters, digits and -_:/",
            Chars::Token => "letters, digits and -._~",
            Chars::Encoded => "letters, digits and -._~:+/=",
            Chars::Visible => "visible ASCII characters",
            Chars::Printable => "visible ASCII characters and blanks",
        }
    }
}

/// The declared members of `req`, in the order of the declaration, whatever their order in `req`.
///
/// # Errors
/// The bot's fault, if a member is unknown, missing, there twice, or not as declared.
///
/// ```
/// use alp_adapter::fields::{self, Chars, Declared};
/// const REQ: [Declared; 2] = [fields::text("symbol", Chars::Capitals), fields::digits("timestamp")];
/// # fn start(submission: &alp_adapter::Submission) -> Result<(), alp_adapter::Fault> {
/// let [symbol, timestamp] = fields::take(submission, REQ)?;
/// # Ok(()) }
/// ```
pub fn take<const N: usize>(submission: &Submission, declared: [Declared; N]) -> Result<[&str; N], Fault> {
    let mut taken = [""; N];
    for member in &submission.members {
        let slot = declared.iter().zip(taken.iter_mut()).find(|(declared, _)| declared.name == member.name);
        let Some((declared, slot)) = slot else {
            let name = clean(&member.name);
            return Err(Fault::Unusable(format!(
                "`req` has a member `{name}`; it should have {}",
                list(&declared)
            )));
        };
        if !slot.is_empty() {
            return Err(Fault::Unusable(format!("`req` has the member `{}` twice", declared.name)));
        }
        *slot = declared.check(&member.value)?;
    }
    for (declared, slot) in declared.iter().zip(&taken) {
        if slot.is_empty() && !declared.is_optional {
            return Err(missing(declared.name));
        }
    }
    Ok(taken)
}

/// Whether `req` has a member of this name, for exchanges with more than one form of `req`.
pub fn has(submission: &Submission, name: &str) -> bool {
    submission.members.iter().any(|member| member.name == name)
}

/// The API key, checked: at most 256 of these characters. It goes into a header or a query.
///
/// # Errors
/// The bot's fault, if it has other characters or none.
pub fn user(submission: &Submission, chars: Chars) -> Result<&str, Fault> {
    let user = submission.user.as_str();
    if !user.is_empty() && user.len() <= MAX_USER && chars.allow(user) {
        return Ok(user);
    }
    Err(Fault::Unusable(format!(
        "`user` should be the API key: 1 to {MAX_USER} characters: {}",
        chars.words()
    )))
}

/// The whole number in a member that was declared as digits.
///
/// # Errors
/// The bot's fault, if it exceeds 64 bits.
pub fn whole(name: &str, digits: &str) -> Result<u64, Fault> {
    digits
        .parse()
        .map_err(|_| Fault::Unusable(format!("`req.{name}` should be a whole number of at most 64 bits")))
}

/// Checks that the market that was signed is the one that is asked for.
///
/// # Errors
/// The bot's fault, if not.
pub fn expect_market(name: &str, signed: &str, asked: &str) -> Result<(), Fault> {
    if signed == asked {
        return Ok(());
    }
    let signed = clean(signed);
    Err(Fault::Unusable(format!(
        "`req.{name}` should be `{asked}` for this market; the request was signed for `{signed}`"
    )))
}

/// The nonce of a `sign-query`, where the exchange's is a whole number.
///
/// # Errors
/// The caller's fault, if it is not.
pub fn whole_nonce(query: &SignQuery) -> Result<u64, Fault> {
    let digits = query.nonce.as_str();
    let number = if digits.bytes().all(|byte| byte.is_ascii_digit()) { digits.parse().ok() } else { None };
    number.ok_or_else(|| Fault::Unusable("the nonce for signing should be a whole number".to_owned()))
}

fn missing(name: &str) -> Fault {
    Fault::Unusable(format!("`req` lacks the member `{name}`"))
}

fn list(declared: &[Declared]) -> String {
    let names = declared.iter().map(|declared| {
        let rest = if declared.is_optional { " (or not)" } else { "" };
        format!("`{}`{rest}", declared.name)
    });
    names.collect::<Vec<_>>().join(", ") + " and nothing else"
}
