//! What follows from a proof, and who is paid where meanwhile.

use alp_server::payouts::DAY_MS;
use alp_server::proof::LpsCommand;
use alp_store::{Issued, NewChallenge};
use alp_tests::Lp;
use serde_json::{Value, json};

use super::scene::{HOUR_MS, Scene};

#[tokio::test]
async fn an_lp_proves_the_address_it_registered_with_and_nothing_is_held() {
    let scene = Scene::start("").await;
    let lp = scene.pool.lp_with("alice", &["ask 900 0.004"]).await;
    scene.earn(&lp).await;
    let asked = scene.ask(&lp, &lp.address).await;
    assert_eq!(
        (&asked["by"], &asked["decimals"], &asked["tries_left"]),
        (&json!("amount"), &json!(8), &json!(2))
    );
    let sentence = asked["message"].as_str().unwrap();
    for part in ["ends in", asked["digits"].as_str().unwrap(), "at least 5 %", "which is 0.004 now"] {
        assert!(sentence.contains(part), "{part}: {sentence}");
    }
    assert_eq!(scene.submit(&lp).await, None, "nothing is shown yet");
    scene.show(&lp, &asked);
    assert_eq!(scene.submit(&lp).await.unwrap(), format!("{} is proven", ends(&lp.address)));
    assert_eq!(scene.submit(&lp).await, None, "it is told once");
    let address = scene.address_of(&lp).await;
    assert_eq!(
        (&address["proven"], &address["next"], &address["not_paid"]),
        (&json!(true), &Value::Null, &Value::Null)
    );
    assert_eq!(scene.pay().await.into_keys().collect::<Vec<_>>(), [lp.address]);
}

#[tokio::test]
async fn a_price_can_carry_the_digits_and_so_can_fewer_decimals() {
    let scene = Scene::start("").await;
    let lp = scene.pool.lp_with("alice", &[]).await;
    let body = json!({"user": lp.key, "exchange": "test_exchange", "unit": "btc", "address": lp.address,
        "by": "price", "decimals": 4});
    let asked = scene.pool.post("/v1/challenges", &body.to_string()).await.json();
    assert_eq!(asked["digits"].as_str().unwrap().len(), 6);
    scene.pool.place(&lp, "NBT_BTC", &format!("ask 5 {}", asked["smallest"].as_str().unwrap()));
    assert!(scene.submit(&lp).await.is_some());
}

/// The whole of attack 9's other half: a stranger was faster than the owner of the key.
#[tokio::test]
async fn attack_9_a_squatters_address_is_replaced_after_the_notice_and_nobody_is_paid_meanwhile() {
    let scene = Scene::start("").await;
    let owner = scene.pool.lp("owner");
    let squatter = Lp { address: Lp::new("squatter").address, ..owner.clone() };
    scene.pool.register(&squatter, "btc").await.accepted();
    assert!(scene.pool.register(&owner, "btc").await.refusal().contains("with another address"));
    scene.pool.place(&owner, "NBT_BTC", "ask 900 0.004");
    scene.earn(&owner).await;
    let told = scene.prove(&owner, &owner.address).await;
    assert!(told.contains("nothing is paid before"), "{told}");
    assert_eq!(scene.pool.register(&owner, "btc").await.refusal(), "user is already registered");
    let address = scene.address_of(&owner).await;
    assert_eq!(address["address"], json!(ends(&squatter.address)), "both see what is about to happen");
    assert_eq!(address["next"]["address"], json!(ends(&owner.address)));
    assert!(address["not_paid"].as_str().unwrap().contains("about to replace"), "{address}");
    let text = address.to_string();
    assert!(
        !text.contains(&owner.address) && !text.contains(&squatter.address),
        "only the ends are shown: {text}"
    );
    // Midnight comes within the notice.
    assert!(scene.pay_after(20 * HOUR_MS).await.is_empty());
    assert!(scene.alarms("address").await[0].contains("another address is about to replace"));
    assert!(scene.payouts().await.contains("alp lps stop"), "the operator sees it");
    let paid = scene.pay().await;
    assert_eq!(paid.into_keys().collect::<Vec<_>>(), [owner.address.as_str()]);
    assert!(scene.alarms("address").await.is_empty());
    assert!(scene.pool.register(&squatter, "btc").await.refusal().contains("with another address"));
}

#[tokio::test]
async fn a_payout_that_was_reserved_keeps_its_address() {
    let scene = Scene::start("").await;
    let lp = scene.pool.lp_with("alice", &["ask 900 0.004"]).await;
    scene.earn(&lp).await;
    let before = scene.pay().await;
    let other = Lp::new("other").address;
    scene.prove(&lp, &other).await;
    scene.pool.pass(24 * HOUR_MS);
    assert_eq!(scene.pay().await, before, "what was reserved stays, and nothing else is owed");
    let shown = scene.pool.get(&format!("/v1/payouts/{}", lp.key)).await.json();
    assert_eq!(shown["payouts"][0]["address"], json!(lp.address));
    scene.earn(&lp).await;
    assert!(scene.pay().await.contains_key(&other));
}

#[tokio::test]
async fn a_proven_address_changes_by_a_new_challenge_and_the_delay_and_its_owner_can_withdraw_that() {
    let scene = Scene::start("").await;
    let lp = scene.pool.lp_with("alice", &["ask 900 0.004"]).await;
    scene.prove(&lp, &lp.address).await;
    let thief = Lp::new("thief").address;
    scene.prove(&lp, &thief).await;
    scene.pool.pass(47 * HOUR_MS);
    assert_eq!(scene.address_of(&lp).await["address"], json!(ends(&lp.address)));
    let told = scene.prove(&lp, &lp.address).await;
    assert!(told.ends_with("and no other address replaces it"), "{told}");
    scene.pool.pass(2 * HOUR_MS);
    let address = scene.address_of(&lp).await;
    assert_eq!((&address["address"], &address["next"]), (&json!(ends(&lp.address)), &Value::Null));
    scene.pool.pass(HOUR_MS);
    let new = Lp::new("new").address;
    scene.prove(&lp, &new).await;
    scene.pool.pass(48 * HOUR_MS);
    assert_eq!(scene.address_of(&lp).await["address"], json!(ends(&new)));
}

#[tokio::test]
async fn a_challenge_that_another_server_gave_is_noticed_within_a_second() {
    let scene = Scene::start("").await;
    let lp = scene.pool.lp_with("alice", &["ask 900 0.004"]).await;
    scene.submit(&lp).await;
    let elsewhere = scene.pool.second_store(60).await;
    let given = NewChallenge {
        lp_id: 1,
        unit: "btc".into(),
        address: lp.address.clone(),
        asked_from: String::new(),
        shown_by: "amount".into(),
        decimals: 8,
        nonce: String::new(),
        seal: String::new(),
        digits: "12345678".into(),
        lifetime_ms: 600_000,
        most: 1,
        window_ms: HOUR_MS,
    };
    assert!(matches!(elsewhere.issue_challenge(&given).await.unwrap(), Issued::Open { .. }));
    scene.pool.pass(1_000);
    scene.pool.place(&lp, "NBT_BTC", "ask 1.12345678 0.01");
    assert!(scene.submit(&lp).await.is_some());
    elsewhere.close().await;
}

#[tokio::test]
async fn where_proof_is_required_it_holds_what_is_owed_and_pays_it_once_it_is_there() {
    let scene = Scene::start("require_proof = true").await;
    let (alice, bob) = (
        scene.pool.lp_with("alice", &["ask 900 0.004"]).await,
        scene.pool.lp_with("bob", &["ask 900 0.004"]).await,
    );
    scene.prove(&bob, &bob.address).await;
    scene.submit(&alice).await;
    scene.pool.end_round().await;
    assert_eq!(scene.pay().await.into_keys().collect::<Vec<_>>(), [bob.address.as_str()]);
    let why = scene.address_of(&alice).await["not_paid"].clone();
    assert_eq!(why, json!("this pool pays proven addresses only: prove it by POST /v1/challenges"));
    let alarm = scene.alarms("unproven").await;
    assert!(alarm[0].starts_with("1 LPs are owed"), "{alarm:?}");
    scene.prove(&alice, &alice.address).await;
    assert_eq!(scene.address_of(&alice).await["not_paid"], Value::Null);
    assert!(scene.pay().await.contains_key(&alice.address));
    assert!(scene.alarms("unproven").await.is_empty());
}

#[tokio::test]
async fn require_proof_is_taken_up_while_the_pool_runs() {
    let scene = Scene::start("require_proof = true").await;
    let lp = scene.pool.lp_with("alice", &["ask 900 0.004"]).await;
    scene.earn(&lp).await;
    assert!(scene.pay().await.is_empty());
    assert!(agreed_on(&scene).await.contains("\"require_proof\":true"));
    scene.pool.edit(&scene.pool.pool_file(), "require_proof = true", "require_proof = false");
    scene.pool.reload().await.unwrap();
    scene.pool.run_rounds().await;
    assert!(scene.pay().await.contains_key(&lp.address));
    assert!(agreed_on(&scene).await.contains("\"require_proof\":false"), "all servers of the database");
    let usual = alp_tests::TestPool::start().await;
    usual.run_rounds().await;
    let document = usual.app().store.configuration_in_force().await.unwrap().unwrap().document;
    assert!(
        !document.contains("proof"),
        "a pool that says nothing of it agrees with older servers: {document}"
    );
}

/// What servers of one database have to agree on.
async fn agreed_on(scene: &Scene) -> String {
    scene.pool.app().store.configuration_in_force().await.unwrap().unwrap().document
}

#[tokio::test]
async fn the_operator_sees_what_is_about_to_change_and_stops_it_with_a_reason() {
    let scene = Scene::start("").await;
    let lp = scene.pool.lp_with("alice", &["ask 900 0.004"]).await;
    scene.earn(&lp).await;
    let other = Lp::new("other").address;
    assert!(scene.order(LpsCommand::List).await.unwrap().starts_with("no address is about to change"));
    scene.prove(&lp, &other).await;
    let list = scene.order(LpsCommand::List).await.unwrap();
    assert!(
        list.contains(&format!("LP 1 test_exchange {} (not proven) -> {other} from 20", lp.address)),
        "{list}"
    );
    assert!(list.ends_with("0 LPs have a proven address\n"), "{list}");
    let stop = |why: &str| scene.order(LpsCommand::Stop { lp: 1, why: why.to_owned() });
    assert!(stop(" ").await.unwrap_err().contains("say why"));
    assert!(stop("it was not he").await.unwrap().contains("stays with"));
    assert!(stop("again").await.unwrap_err().contains("not about to change"));
    let history = scene.order(LpsCommand::History { lp: 1 }).await.unwrap();
    assert!(
        history.contains("met challenge 1")
            && history.contains("stopped")
            && history.contains("it was not he")
    );
    scene.pool.pass(3 * DAY_MS);
    assert_eq!(scene.pay().await.into_keys().collect::<Vec<_>>(), [lp.address]);
}

fn ends(address: &str) -> String {
    format!("{}..{}", &address[..4], &address[address.len() - 4..])
}
