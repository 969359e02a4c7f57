//! The adapter of Peatio, version 2: exchange software that many run.
//! It knows that software's wire format and refuses to know anything else.
//!
//! Signing: `signature = hex(HMAC-SHA256(secret, "GET|/api/v2/orders.json|" + query))`, the query being
//! `access_key=<user>&limit=1000&market=nbtbtc&tonce=<ms>`, sorted by name. The host is not signed. A tonce is a
//! time within 30 seconds of the exchange's clock and is accepted once.
//!
//! Sources: Peatio, API v2 documentation and `authenticator.rb`; ccxt 1.18, `acx.py`; NuBot, `PeatioWrapper.java`.

use alp_adapter::*;

/// None: the operator configures where the exchange is.
const ORIGIN: &str = "";
const PATH: &str = "/api/v2/orders.json";
const CALL: &str = "open-orders";
const WINDOW_MS: u64 = 30_000;
/// The most orders in one reply, in every version; without it some send ten.
const LIMIT: &str = "1000";
const MAX_ORDERS: usize = 1000;
const REQ: [Declared; 4] = [
    fields::text("access_key", Chars::Token),
    fields::exactly("limit", LIMIT),
    fields::text("market", Chars::Small),
    fields::digits("tonce"),
];
const WORDING: Wording =
    Wording { throttled: &[], unavailable: &[], misconfigured: &["market does not have a valid value"] };
const NOTES: [&str; 3] = [
    "Where the exchange has permissions, the key must be read-only.",
    "The tonce is in milliseconds, within 30 seconds of the exchange's clock, and no two requests have the same.",
    "1000 orders of the market are seen at most.",
];

/// Peatio, version 2.
pub struct Peatio;
alp_adapter::export!(Peatio);

impl Adapter for Peatio {
    fn describe() -> Description {
        let call = Call::get(CALL, PATH).with_fixed("limit", LIMIT);
        let calls = vec![call.with(&["access_key", "market", "tonce", "signature"])];
        Description {
            lifetime: Lifetime::Milliseconds(WINDOW_MS),
            nonce: NonceKind::Milliseconds,
            single_use: true,
            binds: Binding::METHOD | Binding::PATH | Binding::PARAMETERS | Binding::MARKET,
            order_ids: OrderIdScope::Exchange,
            ..Description::new("peatio", env!("CARGO_PKG_VERSION"), ORIGIN, &NOTES, calls)
        }
    }

    fn sign(query: SignQuery) -> Result<Signed, Fault> {
        let (market, tonce) = (market(&query.market), fields::whole_nonce(&query)?);
        let text = signed_text(&form(&query.user, &market, &tonce.to_string()));
        let sign = sign::hex(&sign::hmac_sha256(query.secret.as_bytes(), text.as_bytes()));
        let members = [
            Member::text("access_key", query.user),
            Member::number("limit", 1000),
            Member::text("market", market),
            Member::number("tonce", tonce),
        ];
        Ok(Signed::new(members, sign))
    }

    fn start(submission: Submission) -> Result<Started, Fault> {
        let [access_key, _limit, signed_market, tonce] = fields::take(&submission, REQ)?;
        fields::expect_market("market", signed_market, &market(&submission.market))?;
        if access_key != submission.user {
            return Err(Fault::Unusable("`req.access_key` should be the same as `user`".to_owned()));
        }
        if submission.endpoint.is_none() {
            return Err(Fault::Misconfigured("where the exchange is has to be configured".to_owned()));
        }
        let signed_ms = fields::whole("tonce", tonce)?;
        let freshness = Freshness::of_nonce("tonce", tonce)?.expiring(signed_ms, WINDOW_MS);
        let form = form(access_key, signed_market, tonce);
        let query = form.clone().with("signature", sign::expect_hex(&submission.sign, 32)?);
        let request = Request::get(CALL, PATH, query);
        Ok(Started::send(&submission, request, freshness, || signed_text(&form)))
    }

    fn resume(submission: Submission, _state: Vec<u8>, reply: Reply) -> Result<Step, Fault> {
        let asked = market(&submission.market);
        let open: Vec<OpenOrder> = reply::decode::<_, ErrorReply>(&reply, &WORDING)?;
        let counted = open.iter().filter(|order| order.market == asked.as_str() && order.is_on_the_book());
        Ok(Step::collect(counted.map(OpenOrder::read))?.of_page(open.len(), MAX_ORDERS))
    }
}

#[derive(Deserialize)]
struct OpenOrder<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    market: Text<'a>,
    side: Text<'a>,
    #[serde(default)]
    ord_type: Text<'a>,
    state: Text<'a>,
    price: Text<'a>,
    remaining_volume: Text<'a>,
    created_at: Text<'a>,
}

impl OpenOrder<'_> {
    /// Early versions had limit orders only and did not say so.
    fn is_on_the_book(&self) -> bool {
        self.ord_type.is_one_of(&["", "limit"]) && self.state == "wait"
    }

    fn read(&self) -> Result<Option<Order>, Fault> {
        let side = order::side(self.side.as_str(), "buy", "sell")?;
        let left = self.remaining_volume.decimal("remaining_volume")?;
        let opened_ms = time::iso_ms(self.created_at.as_str());
        order::open(self.id.as_str(), side, &self.price.decimal("price")?, &left, opened_ms)
    }
}

#[derive(Deserialize)]
struct ErrorReply<'a> {
    #[serde(borrow)]
    error: ErrorText<'a>,
}

#[derive(Deserialize)]
struct ErrorText<'a> {
    #[serde(borrow)]
    code: Text<'a>,
    message: Text<'a>,
}

impl<'a> ErrorBody<'a> for ErrorReply<'a> {
    fn words(&self) -> Option<String> {
        Some(format!("{}: {}", self.error.code.as_str(), self.error.message.as_str()))
    }
}

fn market(market: &Market) -> String {
    format!("{}{}", market.base, market.quote).to_ascii_lowercase()
}

fn form(access_key: &str, market: &str, tonce: &str) -> Form {
    let form = Form::new().with("access_key", access_key).with("limit", LIMIT);
    form.with("market", market).with("tonce", tonce)
}

fn signed_text(form: &Form) -> String {
    format!("GET|{PATH}|{}", form.text())
}
