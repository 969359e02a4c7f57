//! Writing a recording down: everything is made anew with made-up credentials, compared with what must not be in it,
//! and only then written.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use alp_adapter::testing::{Answer, Ask, Driver, Failure, Http, Message, Next, SeenOrder, SigningAsk, Value};
use alp_sandbox::types::Reply;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, json};

use super::credentials::Credentials;
use super::live::Seen;
use super::scrub::Scrubbing;
use super::{RecordError, Recorded};
use crate::driver::ComponentDriver;

/// The longest name of a recording.
const NAME_CHARS: usize = 64;

/// What was recorded, before it is written.
pub(super) struct Recording {
    pub(super) driver: ComponentDriver,
    pub(super) folder: PathBuf,
    pub(super) name: String,
    /// How it was signed; real.
    pub(super) signing: SigningAsk,
    /// In place of the real credentials.
    pub(super) made_up: Credentials,
    /// What was seen; real.
    pub(super) seen: Seen,
    /// What must not be written.
    pub(super) scrubbing: Scrubbing,
}

/// Refuses a name that is no file's.
pub(super) fn check_name(name: &str) -> Result<(), RecordError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    // The reader takes every `request*.json` for a signed call, and `cases.json` for the list.
    let taken = name.starts_with("request") || ["cases", "markets", "look_up", "expected"].contains(&name);
    let right = !name.is_empty() && name.len() <= NAME_CHARS && name.chars().all(plain) && !taken;
    if right { Ok(()) } else { Err(RecordError::Name) }
}

impl Recording {
    /// Writes the files.
    pub(super) fn write(self) -> Result<Recorded, RecordError> {
        let signing = self.signing_made_up();
        let (message, signs) = self.message(&signing)?;
        let scrubbed = |replies: &[Reply]| replies.iter().map(|reply| self.answer(reply)).collect::<Vec<_>>();
        let (answers, look_ups) = (scrubbed(&self.seen.replies), scrubbed(&self.seen.look_ups));
        let (http, string_to_sign, outcome) = self.replay(&signing.ask, &message, &answers, &look_ups)?;
        let mut files = vec![];
        if self.folder.join("request.json").exists() {
            // The first call's credentials serve for every case, so the one that is there stays.
        } else {
            let call = self.call(&signing, &message, &http, &string_to_sign, signs)?;
            files.push(("request.json".to_owned(), call));
        }
        self.reply_files(&answers, &look_ups, outcome, &mut files)?;
        let mut written = vec![];
        for (file, bytes) in &files {
            if self.scrubbing.is_left_in(bytes) {
                return Err(RecordError::Leak(self.folder.join(file)));
            }
        }
        let io = |path: &Path| {
            let path = path.to_owned();
            move |source| RecordError::Io { path, source }
        };
        fs::create_dir_all(&self.folder).map_err(io(&self.folder))?;
        for (file, bytes) in files {
            let path = self.folder.join(file);
            fs::write(&path, bytes).map_err(io(&path))?;
            written.push(path);
        }
        let advice =
            "Look through these files before you publish them, and compare the orders with what the \
                      exchange's own page shows: they are what the adapter says they are."
                .to_owned();
        Ok(Recorded { files: written, advice })
    }

    /// The same question with credentials that are nobody's, at the adapter's own origin.
    fn signing_made_up(&self) -> SigningAsk {
        let own = self.driver.origin();
        SigningAsk {
            ask: Ask {
                user: self.made_up.key.clone(),
                endpoint: self.signing.ask.endpoint.clone().filter(|_| own.is_empty()),
                ..self.signing.ask.clone()
            },
            secret: self.made_up.secret.clone(),
            credential_parameters: self.made_up.others.clone(),
            nonce: self.signing.nonce.clone(),
        }
    }

    /// The message as the made-up credentials sign it. Where a secret cannot be made up, such as a private key, it is
    /// the real one with everything replaced, for `start` alone.
    fn message(&self, signing: &SigningAsk) -> Result<(Message, bool), RecordError> {
        if let Ok(message) = self.driver.sign(signing) {
            return Ok((message, true));
        }
        let text = |text: &str| String::from_utf8_lossy(&self.scrubbing.scrub(text.as_bytes())).into_owned();
        let members = self.seen.message.members.iter().map(|(name, value)| {
            let value = match value {
                Value::Text(value) => Value::Text(text(value)),
                Value::Number(digits) => Value::Number(digits.clone()),
            };
            (name.clone(), value)
        });
        Ok((Message { members: members.collect(), sign: text(&self.seen.sign) }, false))
    }

    fn answer(&self, reply: &Reply) -> Answer {
        let headers = reply.headers.iter().map(|field| (field.name.clone(), field.value.clone()));
        Answer { status: reply.status, headers: headers.collect(), body: self.scrubbing.scrub(&reply.body) }
    }

    /// What is sent, what was signed, and what the scrubbed replies come to.
    #[allow(clippy::type_complexity, reason = "three things that one walk gives")]
    fn replay(
        &self,
        ask: &Ask,
        message: &Message,
        answers: &[Answer],
        look_ups: &[Answer],
    ) -> Result<(Http, String, Result<Vec<SeenOrder>, Failure>), RecordError> {
        let wrong =
            |failure: Failure| RecordError::Scrubbed(format!("{}: {}", failure.kind, failure.message));
        let begun = self.driver.start(ask, message).map_err(wrong)?;
        let (mut sent, mut signed) = (None, begun.signed);
        let (mut answers, mut look_ups) = (answers.iter(), look_ups.iter());
        let mut next = Ok(begun.next);
        let outcome = loop {
            let (answer, state) = match next {
                Ok(Next::Orders(orders)) => break Ok(orders),
                Err(failure) => break Err(failure),
                Ok(Next::LookUp(_, state)) => (look_ups.next(), state),
                Ok(Next::Send(http, state)) => {
                    sent.get_or_insert(http);
                    (answers.next(), state)
                }
            };
            let answer = answer
                .ok_or_else(|| RecordError::Scrubbed("it asks for more than it did before".to_owned()))?;
            next = self.driver.resume(ask, message, &state, answer);
        };
        let http = sent.ok_or_else(|| RecordError::Scrubbed("it sends nothing".to_owned()))?;
        let string_to_sign = std::mem::take(&mut signed).join("\n");
        Ok((http, string_to_sign, outcome))
    }

    fn call(
        &self,
        signing: &SigningAsk,
        message: &Message,
        http: &Http,
        string_to_sign: &str,
        signs: bool,
    ) -> Result<Vec<u8>, RecordError> {
        let mut credentials = signing.credential_parameters.clone();
        credentials.insert("key".to_owned(), signing.ask.user.clone());
        credentials.insert("secret".to_owned(), signing.secret.clone());
        if signing.nonce.contains(|c: char| !c.is_ascii_digit()) {
            credentials.insert("nonce".to_owned(), signing.nonce.clone());
        }
        let members = message.members.iter().map(|(name, value)| {
            let value = match value {
                Value::Text(text) => json!(text).to_string(),
                Value::Number(digits) => digits.clone(),
            };
            format!("\n    {}: {value}", json!(name))
        });
        let req = format!("{{{}\n  }}", members.collect::<Vec<_>>().join(","));
        pretty(&WrittenCall {
            exchange: &self.driver.adapter().description().exchange,
            base: &signing.ask.base,
            quote: &signing.ask.quote,
            signed_at_ms: signing.ask.now_ms,
            note: "a live call, made anew with credentials that are made up",
            credentials,
            user: &signing.ask.user,
            req: RawValue::from_string(req).map_err(RecordError::Json)?,
            sign: &message.sign,
            string_to_sign,
            http: json!({
                "method": http.method, "url": http.url, "headers": http.headers, "body": http.body
            }),
            start_only: !signs,
        })
    }

    /// The replies, the orders in them, and the case in the list of cases.
    fn reply_files(
        &self,
        answers: &[Answer],
        look_ups: &[Answer],
        outcome: Result<Vec<SeenOrder>, Failure>,
        files: &mut Vec<(String, Vec<u8>)>,
    ) -> Result<(), RecordError> {
        let mut new = vec![];
        for (index, answer) in answers.iter().enumerate() {
            new.push((self.reply_name(index, answers.len()), answer.body.clone()));
        }
        let mut case = self.case(answers);
        let expected = format!("{}.expected.json", self.name);
        match outcome {
            Ok(orders) => {
                new.push((expected.clone(), pretty(&orders.iter().map(order).collect::<Vec<_>>())?));
                case.insert("expect".to_owned(), json!(expected));
            }
            Err(failure) => {
                case.insert("expect".to_owned(), json!("error"));
                case.insert("fault".to_owned(), json!(failure.kind));
            }
        }
        if let Some(path) = new.iter().map(|(file, _)| self.folder.join(file)).find(|path| path.exists()) {
            return Err(RecordError::Exists(path));
        }
        files.append(&mut new);
        if let Some(look_up) = look_ups.first() {
            files.push(("look_up.json".to_owned(), look_up.body.clone()));
        }
        // What is there stays as it is written.
        let mut cases: Vec<Box<RawValue>> = self.existing("cases.json")?.unwrap_or_default();
        let case = json!(case).to_string();
        cases.push(RawValue::from_string(case).map_err(RecordError::Json)?);
        files.push(("cases.json".to_owned(), pretty(&cases)?));
        let ask = &self.signing.ask;
        if !ask.market_parameters.is_empty() {
            let mut markets: Map<String, serde_json::Value> =
                self.existing("markets.json")?.unwrap_or_default();
            markets.insert(format!("{}/{}", ask.base, ask.quote), json!(ask.market_parameters));
            files.push(("markets.json".to_owned(), pretty(&markets)?));
        }
        Ok(())
    }

    /// The last reply has the recording's name, those before it a number.
    fn reply_name(&self, index: usize, count: usize) -> String {
        let number = index.saturating_add(1);
        if number == count { format!("{}.json", self.name) } else { format!("{}_{number}.json", self.name) }
    }

    /// The case, but for what is expected.
    fn case(&self, answers: &[Answer]) -> Map<String, serde_json::Value> {
        let ask = &self.signing.ask;
        let recorded = alp_adapter::time::iso_text(ask.now_ms);
        let provenance = format!("recorded {recorded}, with key, signature and secrets replaced");
        let mut case = Map::new();
        let mut set = |name: &str, value| case.insert(name.to_owned(), value);
        set("file", json!(format!("{}.json", self.name)));
        set("base", json!(ask.base));
        set("quote", json!(ask.quote));
        set("provenance", json!(provenance));
        let before: Vec<String> =
            (0..answers.len().saturating_sub(1)).map(|index| self.reply_name(index, answers.len())).collect();
        if !before.is_empty() {
            set("before", json!(before));
        }
        if let Some(last) = answers.last() {
            if last.status != 200 {
                set("status", json!(last.status));
            }
            if !last.headers.is_empty() {
                set("headers", json!(last.headers));
            }
        }
        case
    }

    fn existing<T: serde::de::DeserializeOwned>(&self, file: &str) -> Result<Option<T>, RecordError> {
        let path = self.folder.join(file);
        if !path.exists() {
            return Ok(None);
        }
        let io = |source| RecordError::Io { path: path.clone(), source };
        let text = fs::read(&path).map_err(io)?;
        serde_json::from_slice(&text).map(Some).map_err(|error| io(std::io::Error::other(error)))
    }
}

fn order(order: &SeenOrder) -> serde_json::Value {
    let SeenOrder { id, side, price, amount, opened_ms } = order;
    let mut written = json!({ "id": id, "side": side, "price": price, "amount": amount });
    if let (Some(opened_ms), Some(written)) = (opened_ms, written.as_object_mut()) {
        written.insert("opened_ms".to_owned(), json!(opened_ms));
    }
    written
}

fn pretty(value: &impl Serialize) -> Result<Vec<u8>, RecordError> {
    let mut bytes = serde_json::to_vec_pretty(value).map_err(RecordError::Json)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// A `request.json`, its members in the order in which people read them.
#[derive(Serialize)]
struct WrittenCall<'a> {
    exchange: &'a str,
    base: &'a str,
    quote: &'a str,
    signed_at_ms: u64,
    note: &'a str,
    credentials: BTreeMap<String, String>,
    user: &'a str,
    /// In the order of signing.
    req: Box<RawValue>,
    sign: &'a str,
    string_to_sign: &'a str,
    http: serde_json::Value,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    start_only: bool,
}
