//! Whether a candidate answers as the adapter in service did. Pure, and it tells names of parts only: what is in them
//! may be signed or secret.

use alp_sandbox::clean_text;
use alp_sandbox::types::{Body, Fault, Field, Order, OrderList, Request, Started, Step};

/// Longest name of a part that is told, in characters: headers and parameters are named by adapters.
const NAME_CHARS: usize = 64;

/// What an adapter answered; `Err` if it broke.
pub(super) type Answer<T> = Result<Result<T, Fault>, ()>;

/// The first part in which two first steps differ.
#[must_use]
pub(super) fn started(serving: &Answer<Started>, candidate: &Answer<Started>) -> Option<String> {
    compare(serving, candidate, |serving, candidate| {
        step_parts(&serving.step, &candidate.step)
            .or_else(|| differ(&serving.freshness, &candidate.freshness, "the freshness"))
            .or_else(|| differ(&serving.signed, &candidate.signed, "the signed text"))
    })
}

/// The first part in which two further steps differ.
#[must_use]
pub(super) fn step(serving: &Answer<Step>, candidate: &Answer<Step>) -> Option<String> {
    compare(serving, candidate, step_parts)
}

fn compare<T>(
    serving: &Answer<T>,
    candidate: &Answer<T>,
    parts: impl FnOnce(&T, &T) -> Option<String>,
) -> Option<String> {
    match (serving, candidate) {
        (Ok(Ok(serving)), Ok(Ok(candidate))) => parts(serving, candidate),
        (Ok(Err(serving)), Ok(Err(candidate))) if serving == candidate => None,
        (Ok(Err(serving)), Ok(Err(candidate))) if kind(serving) == kind(candidate) => {
            Some(format!("the words of the fault `{}`", kind(serving)))
        }
        (Err(()), Err(())) => None,
        (serving, candidate) => {
            Some(format!("in service: {}, candidate: {}", sort(serving), sort(candidate)))
        }
    }
}

fn sort<T>(answer: &Answer<T>) -> String {
    match answer {
        Ok(Ok(_)) => "a step".to_owned(),
        Ok(Err(fault)) => format!("the fault `{}`", kind(fault)),
        Err(()) => "broke".to_owned(),
    }
}

fn kind(fault: &Fault) -> &'static str {
    match fault {
        Fault::Unusable(_) => "unusable",
        Fault::Refused(_) => "refused",
        Fault::Throttled(_) => "throttled",
        Fault::Unavailable(_) => "unavailable",
        Fault::Unreadable(_) => "unreadable",
        Fault::Misconfigured(_) => "misconfigured",
        Fault::Other(_) => "other",
    }
}

fn step_parts(serving: &Step, candidate: &Step) -> Option<String> {
    match (serving, candidate) {
        (Step::Send(serving), Step::Send(candidate)) => request_parts(&serving.request, &candidate.request),
        (Step::LookUp(serving), Step::LookUp(candidate)) => {
            request_parts(&serving.request, &candidate.request)
                .or_else(|| differ(&serving.cache_ms, &candidate.cache_ms, "how long a look-up is kept"))
        }
        (Step::Orders(serving), Step::Orders(candidate)) => order_parts(serving, candidate),
        (serving, candidate) => {
            Some(format!("in service: {}, candidate: {}", next(serving), next(candidate)))
        }
    }
}

fn next(step: &Step) -> &'static str {
    match step {
        Step::Send(_) => "a signed request",
        Step::LookUp(_) => "a look-up",
        Step::Orders(_) => "orders",
    }
}

fn request_parts(serving: &Request, candidate: &Request) -> Option<String> {
    differ(&serving.call, &candidate.call, "request: the call")
        .or_else(|| differ(&serving.method, &candidate.method, "request: the method"))
        .or_else(|| differ(&serving.path, &candidate.path, "request: the path"))
        .or_else(|| field_parts(&serving.query, &candidate.query, "request: parameter"))
        .or_else(|| field_parts(&serving.headers, &candidate.headers, "request: header"))
        .or_else(|| match (&serving.body, &candidate.body) {
            (Body::Form(serving), Body::Form(candidate)) => {
                field_parts(serving, candidate, "request: form member")
            }
            (serving, candidate) => differ(serving, candidate, "request: the body"),
        })
}

/// Which field differs, by its name; the order of fields matters, because it is signed.
fn field_parts(serving: &[Field], candidate: &[Field], what: &str) -> Option<String> {
    let name = |field: &Field| format!("{what} {}", clean_text(&field.name, NAME_CHARS));
    let pairs = serving.iter().zip(candidate);
    let unlike = pairs.into_iter().find(|(serving, candidate)| serving != candidate);
    unlike.map(|(_, candidate)| name(candidate)).or_else(|| {
        let shorter = serving.len().min(candidate.len());
        serving.get(shorter).or_else(|| candidate.get(shorter)).map(name)
    })
}

fn order_parts(serving: &OrderList, candidate: &OrderList) -> Option<String> {
    differ(&serving.orders.len(), &candidate.orders.len(), "orders: how many")
        .or_else(|| {
            let pairs = serving.orders.iter().zip(&candidate.orders).enumerate();
            pairs.into_iter().find_map(|(at, (serving, candidate))| {
                order_part(serving, candidate).map(|part| format!("order {}: {part}", at.saturating_add(1)))
            })
        })
        .or_else(|| differ(&serving.account, &candidate.account, "orders: the account"))
        .or_else(|| {
            differ(&serving.maybe_truncated, &candidate.maybe_truncated, "orders: whether some may lack")
        })
}

fn order_part(serving: &Order, candidate: &Order) -> Option<&'static str> {
    let parts = [
        (serving.id == candidate.id, "id"),
        (serving.side == candidate.side, "side"),
        (serving.price == candidate.price, "price"),
        (serving.amount == candidate.amount, "amount"),
        (serving.opened_ms == candidate.opened_ms, "when it was opened"),
        (serving.closed_ms == candidate.closed_ms, "when it was closed"),
        (serving.extras == candidate.extras, "extras"),
    ];
    parts.into_iter().find(|(same, _)| !same).map(|(_, part)| part)
}

fn differ<T: PartialEq + ?Sized>(serving: &T, candidate: &T, part: &str) -> Option<String> {
    (serving != candidate).then(|| part.to_owned())
}

#[cfg(test)]
mod tests {
    use alp_sandbox::types::{Body, Fault, Field, Method, Order, OrderList, Pending, Request, Side, Step};

    use super::{Answer, step};

    fn request(path: &str, sign: &str) -> Answer<Step> {
        let headers = vec![Field { name: "X-Sign".into(), value: sign.into() }];
        let request = Request {
            call: "orders".into(),
            method: Method::Get,
            path: path.into(),
            query: Vec::new(),
            headers,
            body: Body::None,
        };
        Ok(Ok(Step::Send(Pending { request, state: sign.as_bytes().to_vec() })))
    }

    fn orders(prices: &[&str]) -> Answer<Step> {
        let order = |price: &&str| Order {
            id: "1".into(),
            side: Side::Ask,
            price: (*price).into(),
            amount: "1".into(),
            opened_ms: None,
            closed_ms: None,
            extras: Vec::new(),
        };
        let orders = prices.iter().map(order).collect();
        Ok(Ok(Step::Orders(OrderList { orders, account: None, maybe_truncated: false })))
    }

    #[test]
    fn the_same_answers_do_not_differ_whatever_their_own_state_is() {
        assert_eq!(step(&request("/a", "s"), &request("/a", "s")), None);
        assert_eq!(step(&orders(&["1", "2"]), &orders(&["1", "2"])), None);
        let fault = || Ok(Err(Fault::Refused("no".into())));
        assert_eq!(step(&fault(), &fault()), None);
    }

    #[test]
    fn a_difference_is_told_by_the_name_of_its_part_and_never_by_its_value() {
        let refused = |text: &str| Ok(Err(Fault::Refused(text.into())));
        let differences = [
            (request("/a", "s"), request("/secret", "s"), "request: the path"),
            (request("/a", "s"), request("/a", "secret"), "request: header X-Sign"),
            (orders(&["1"]), orders(&["1", "2"]), "orders: how many"),
            (orders(&["1", "2"]), orders(&["1", "3"]), "order 2: price"),
            (orders(&[]), request("/a", "s"), "in service: orders, candidate: a signed request"),
            (refused("a"), refused("secret"), "the words of the fault `refused`"),
            (orders(&[]), refused("secret"), "in service: a step, candidate: the fault `refused`"),
            (orders(&[]), Err(()), "in service: a step, candidate: broke"),
        ];
        for (serving, candidate, part) in differences {
            assert_eq!(step(&serving, &candidate).as_deref(), Some(part));
        }
    }
}
