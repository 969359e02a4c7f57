//! What is loaded and what is refused, and that each refusal says why.

use crate::guests::{FOR_EVER, Guest, WIT, nested};
use crate::{load, refusal, sandbox};

#[tokio::test]
async fn a_good_adapter_is_loaded_and_says_who_it_is() {
    let (_folder, sandbox) = sandbox();
    let component = Guest::named("good").component();
    let size = component.len() as u64;
    let adapter = load(&sandbox, component).await;
    let description = adapter.description();
    assert_eq!(description.exchange, "good");
    assert_eq!(description.version, "0.1.0");
    assert_eq!(description.origin, "https://api.example.com");
    assert_eq!(description.calls[0].name, "open-orders");
    assert_eq!(description.calls[0].path, "/orders");
    assert_eq!(adapter.wit_version(), "1.0.0");
    assert_eq!(adapter.size_bytes(), size);
    assert_eq!(adapter.sha256().len(), 64);
}

#[tokio::test]
async fn an_adapter_built_for_a_later_1_x_is_loaded() {
    let (_folder, sandbox) = sandbox();
    let wit = WIT.replace("alp:exchange@1.0.0", "alp:exchange@1.3.0");
    let adapter = load(&sandbox, Guest { wit, ..Guest::named("later") }.component()).await;
    assert_eq!(adapter.wit_version(), "1.3.0");
}

#[tokio::test]
async fn an_import_of_a_function_is_refused_with_its_name_and_the_cure() {
    let wit = WIT.replace(
        "world exchange-adapter {",
        "interface clock { now: func() -> u64; }\nworld exchange-adapter {\n    import clock;",
    );
    let also = r#"(import "alp:exchange/clock@1.0.0" "now" (func (result i64)))"#.to_owned();
    let text = refusal(Guest { wit, also, ..Guest::named("curious") }.component()).await;
    assert!(text.contains("imports alp:exchange/clock@1.0.0 (now)"), "{text}");
    assert!(text.contains(r#"target = "wasm32-unknown-unknown""#), "{text}");
    assert!(text.contains(r#"linker = "wasm-component-ld""#), "{text}");
}

#[tokio::test]
async fn another_major_version_is_refused_by_its_number() {
    let wit = WIT.replace("alp:exchange@1.0.0", "alp:exchange@2.0.0");
    let text = refusal(Guest { wit, ..Guest::named("future") }.component()).await;
    assert!(text.contains("exports alp:exchange/adapter@2.0.0"), "{text}");
    assert!(text.contains("knows alp:exchange/adapter@1.x"), "{text}");
}

#[tokio::test]
async fn a_component_that_exports_nothing_is_refused() {
    let text = refusal(wat::parse_str("(component)").unwrap()).await;
    assert!(text.contains("exports nothing"), "{text}");
}

#[tokio::test]
async fn the_same_names_with_other_types_are_refused_at_the_trial() {
    let wit = WIT.replace("opened-ms: option<u64>", "opened-ms: option<u32>");
    assert_ne!(wit, WIT);
    let text = refusal(Guest { wit, ..Guest::named("similar") }.component()).await;
    assert!(text.contains("failed its trial: start: "), "{text}");
    assert!(text.contains("type mismatch"), "{text}");
}

#[tokio::test]
async fn a_missing_function_is_refused_by_its_name() {
    let start = WIT.find("    /// Takes the reply to the step before").unwrap();
    let length = WIT[start..].find("result<step, fault>;").unwrap() + "result<step, fault>;".len();
    let wit = format!("{}{}", &WIT[..start], &WIT[start + length..]);
    let text = refusal(Guest { wit, ..Guest::named("partial") }.component()).await;
    assert!(text.contains("does not export the function `resume`"), "{text}");
}

#[tokio::test]
async fn what_is_no_component_is_refused_each_with_its_own_reason() {
    let component = Guest::named("good").component();
    let native = b"\x7fELF\x02\x01\x01\0and more".to_vec();
    let cases: [(Vec<u8>, &str); 8] = [
        (vec![], "the file is empty"),
        (b"<html>404 Not Found</html>".to_vec(), "the file is text"),
        (b"(component)".to_vec(), "the file is text"),
        (Guest::named("good").core_module(), "a WebAssembly module, not a component"),
        (native, "native code"),
        ((0..200).map(|n: u32| (n * 97 % 251) as u8 | 0x80).collect(), "not a WebAssembly component"),
        (component[..5].to_vec(), "damaged"),
        (component[..component.len() / 2].to_vec(), "damaged"),
    ];
    for (bytes, reason) in cases {
        let text = refusal(bytes).await;
        assert!(text.contains(reason), "{text} does not say: {reason}");
    }
}

#[tokio::test]
async fn a_flipped_bit_is_refused_or_harmless_but_never_more() {
    let (_folder, sandbox) = sandbox();
    let good = Guest::named("good").component();
    let mut refused = 0;
    for at in (8..good.len()).step_by(good.len() / 12) {
        let mut bytes = good.clone();
        bytes[at] ^= 0x40;
        refused += u32::from(sandbox.load(bytes).await.is_err());
    }
    assert!(refused > 3, "only {refused} of twelve damaged files were refused");
    load(&sandbox, good).await;
}

#[tokio::test]
async fn a_file_over_the_limit_is_refused_unread() {
    let mut bytes = Guest::named("good").component();
    bytes.resize((48 << 20) + 1, 0);
    assert!(refusal(bytes).await.contains("larger than 50331648 bytes"));
}

#[tokio::test]
async fn components_nested_too_deeply_are_refused_before_compiling() {
    assert!(refusal(nested(5)).await.contains("nested deeper than 4"));
}

#[tokio::test]
async fn a_memory_larger_than_the_sandbox_is_refused() {
    let also = "(memory 2000)".to_owned();
    let text = refusal(Guest { also, ..Guest::named("large") }.component()).await;
    assert!(text.contains("does not fit") || text.contains("does not compile"), "{text}");
}

#[tokio::test]
async fn an_adapter_that_never_says_who_it_is_is_refused() {
    let text = refusal(Guest { describe: FOR_EVER.into(), ..Guest::named("mute") }.component()).await;
    assert!(text.contains("failed its trial: describe: took longer than 200 ms"), "{text}");
}

#[tokio::test]
async fn a_description_that_makes_no_sense_is_refused() {
    let named = Guest::named;
    let cases = [
        (named("Big Exchange\n"), "its exchange `Big Exchange` must be"),
        (Guest { version: "1\u{1b}[31m".into(), ..named("good") }, "its version must be"),
        (Guest { origin: "http://api.example.com".into(), ..named("good") }, "not encrypted"),
        (Guest { origin: "https://user@example.com".into(), ..named("good") }, "not of the form"),
        (Guest { origin: "https://example.com/".into(), ..named("good") }, "not of the form"),
        (Guest { path: "orders".into(), ..named("good") }, "does not start with a slash"),
        (Guest { path: "/a/../b".into(), ..named("good") }, "relative segments"),
        (Guest { path: "/a?b=c".into(), ..named("good") }, "belongs into no path"),
    ];
    for (guest, reason) in cases {
        let text = refusal(guest.component()).await;
        assert!(text.contains(reason), "{text} does not say: {reason}");
    }
}
