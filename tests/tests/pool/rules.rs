//! Reward rules in a running pool: slices, engines, what counts, what becomes of unpaid pots, changes by date. Every
//! option is shown beside the attack that it answers.

use alp_pool::credit::LpId;
use alp_pool::engines::auction_tllp::{Highest, TllpRule};
use alp_pool::engines::book::{Book, BookOrder};
use alp_pool::engines::counting::Counting;
use alp_pool::engines::fixed_cost::FixedCostRule;
use alp_pool::engines::sigmoid::SigmoidRule;
use alp_pool::engines::spread_weighted::SpreadWeightedRule;
use alp_pool::engines::uniform_auction::UniformAuctionRule;
use alp_pool::engines::unpaid::{PerSide, Unpaid};
use alp_pool::engines::{MarketEngine, MarketRules, SideEngine, share_market};
use alp_pool::money::{Amount, Coins, Ratio};
use alp_pool::rate::Rate;
use alp_pool::round::{Round, RoundLength};
use alp_pool::terms::{RankNumber, Side};
use alp_server::calendar::show_calendar;
use alp_server::config::Config;
use alp_tests::{Lp, START_S, Settings, TEST_EXCHANGE, TestPool};

/// A fixed pot whose reward all goes to asks near the price: half of the target is worth 0.03 a round.
const FIXED_POT: &str = "reward = 0.06\ntarget = 1000\n";
const ASKS_ONLY: &str = "[units.btc.ask]\nratio = 1\nrank_1 = { ratio = 1, tolerance = 0.01 }\n\
     [units.btc.bid]\nratio = 0\nrank_1 = { ratio = 1, tolerance = 0.01 }\n";

/// A coin a minute for each side.
const FIXED_COST: &str = "engine = \"fixed_cost\"\ndaily = 1440\ntolerance = 0.01\n";

/// A pool with one market, `btc`, that has these rules.
async fn pool_with(rules: &str) -> TestPool {
    let (top, _) = TEST_EXCHANGE.split_once("[units.btc]").unwrap();
    let mut settings = Settings::default();
    settings.exchanges[0].1 = format!("{top}[units.btc]\n{rules}");
    TestPool::start_with(settings).await
}

async fn submit_all(pool: &TestPool, lps: &[&Lp]) {
    for lp in lps {
        pool.submit(lp, "btc").await.accepted();
    }
}

/// Six looks at a round, ten seconds apart. The second LP shows its order in the third only.
async fn round_with_a_flash(pool: &TestPool, steady: &Lp, flash: &Lp) {
    for slice in 0..6 {
        if slice == 2 {
            pool.place(flash, "NBT_BTC", "ask 500 0.004");
        }
        submit_all(pool, &[steady, flash]).await;
        pool.exchange().cancel_market(&flash.key, "NBT_BTC").unwrap();
        if slice < 5 {
            pool.pass(10_000);
        }
    }
    pool.end_round().await;
    pool.pass(4_000);
}

#[tokio::test]
async fn pb_13_an_order_that_is_shown_in_one_slice_of_six_earns_a_sixth() {
    let pool = pool_with(&format!("{FIXED_POT}slices = 6\nevidence = \"last\"\n{ASKS_ONLY}")).await;
    let steady = pool.lp_with("steady", &["ask 500 0.004"]).await;
    let flash = pool.lp_with("flash", &[]).await;
    round_with_a_flash(&pool, &steady, &flash).await;
    assert_eq!(pool.reward_of(&steady).await, "0.03");
    assert_eq!(pool.reward_of(&flash).await, "0.005");
    assert!(pool.get("/status").await.text.contains("\"total\":583.333333333333333333"));
}

#[tokio::test]
async fn pb_13_with_one_slice_the_same_order_earns_all_if_it_is_there_at_the_end() {
    let pool = pool_with(&format!("{FIXED_POT}{ASKS_ONLY}")).await;
    let steady = pool.lp_with("steady", &["ask 500 0.004"]).await;
    let flash = pool.lp_with("flash", &["ask 500 0.004"]).await;
    submit_all(&pool, &[&steady, &flash]).await;
    pool.end_round().await;
    assert_eq!(pool.reward_of(&flash).await, pool.reward_of(&steady).await);
}

#[tokio::test]
async fn with_several_slices_an_order_earns_between_two_sightings_only() {
    let pool = pool_with(&format!("{FIXED_POT}slices = 6\n{ASKS_ONLY}")).await;
    let steady = pool.lp_with("steady", &["ask 600 0.004"]).await;
    let flash = pool.lp_with("flash", &[]).await;
    round_with_a_flash(&pool, &steady, &flash).await;
    // Nothing is known before the first look: five spans of six.
    assert_eq!(pool.reward_of(&steady).await, "0.03");
    round_with_a_flash(&pool, &steady, &flash).await;
    // The last look at the round before is the first end of the sixth.
    assert_eq!(pool.reward_of(&steady).await, "0.066");
    assert_eq!(pool.reward_of(&flash).await, "0");
}

#[tokio::test]
async fn the_page_of_an_lp_shows_what_it_showed_last_and_the_whole_credit() {
    let pool = pool_with(&format!("{FIXED_POT}slices = 6\nevidence = \"last\"\n{ASKS_ONLY}")).await;
    let lp = pool.lp_with("alice", &["ask 600 0.004"]).await;
    submit_all(&pool, &[&lp]).await;
    pool.pass(10_000);
    pool.exchange().cancel_market(&lp.key, "NBT_BTC").unwrap();
    pool.place(&lp, "NBT_BTC", "ask 300 0.004");
    submit_all(&pool, &[&lp]).await;
    pool.end_round().await;
    let orders = pool.orders_of(&lp).await;
    assert_eq!(orders.len(), 1);
    assert_eq!(orders[0]["order_amount"], 300);
    // 100 and 50 on average, of a target of 1000 for 0.06.
    assert_eq!(orders[0]["credit_info"]["credit_amount"], 0.003);
    assert_eq!(pool.reward_of(&lp).await, "0.009");
}

#[tokio::test]
async fn a_change_is_announced_and_begins_with_the_first_round_that_starts_then() {
    let change = format!("[[units.btc.change]]\nfrom = {}\nreward = 0.12\ntarget = 1000\n", START_S + 50);
    let changed = ASKS_ONLY.replace("units.btc.", "units.btc.change.");
    let pool = pool_with(&format!("{FIXED_POT}{ASKS_ONLY}{change}{changed}")).await;
    let lp = pool.lp_with("alice", &["ask 500 0.004"]).await;
    let shown = async || pool.get("/exchanges").await.json()["test_exchange"]["btc"].clone();
    let before = shown().await;
    assert_eq!((before["reward"].to_string().as_str(), &before["target"]), ("0.06", &1000.into()));
    assert_eq!(before["next"]["from"], START_S + 50);
    assert_eq!(before["next"]["reward"].to_string(), "0.12");
    // The change comes within the round: what was in force at its start holds to its end.
    pool.pass(49_000);
    submit_all(&pool, &[&lp]).await;
    pool.end_round().await;
    assert_eq!(pool.reward_of(&lp).await, "0.03");
    let after = shown().await;
    assert_eq!((after["reward"].to_string().as_str(), &after["next"]), ("0.12", &serde_json::Value::Null));
    submit_all(&pool, &[&lp]).await;
    pool.end_round().await;
    assert_eq!(pool.reward_of(&lp).await, "0.09");
    let used = async |before_s: u64| {
        let text = pool.app().store.statistics_before(before_s).await.unwrap().unwrap();
        let statistics: serde_json::Value = serde_json::from_str(&text).unwrap();
        statistics["markets"][0]["terms_id"].as_str().unwrap().to_owned()
    };
    let config = Config::read(&pool.pool_file()).unwrap();
    let unit = config.unit("test_exchange", "btc").unwrap();
    let ids = [unit.rules_at(START_S).terms_id.clone(), unit.rules_at(START_S + 60).terms_id.clone()];
    assert_ne!(ids[0], ids[1]);
    assert_eq!([used(START_S + 60).await, used(START_S + 120).await], ids);
    let calendar = show_calendar(&config, START_S);
    assert!(calendar.contains("2025-10-09T08:54:50Z  fixed_pot, 0.12 a minute, target 1000"), "{calendar}");
}

#[tokio::test]
async fn a_round_without_the_market_hands_on_what_was_carried_over() {
    let pool = pool_with(&format!("{FIXED_COST}unpaid = \"carry\"\ncarry_limit = 3\n")).await;
    let asks = pool.lp_with("asks", &["ask 10 0.004"]).await;
    for _ in 0..2 {
        submit_all(&pool, &[&asks]).await;
        pool.end_round().await;
        pool.end_round().await;
    }
    assert_eq!(pool.reward_of(&asks).await, "2");
    let bids = pool.lp_with("bids", &["bid 10 0.004"]).await;
    submit_all(&pool, &[&bids]).await;
    pool.end_round().await;
    assert_eq!(pool.reward_of(&bids).await, "3", "one of its own and two that found nobody");
}

#[tokio::test]
async fn what_is_carried_over_has_a_limit() {
    let pool = pool_with(&format!("{FIXED_COST}unpaid = \"carry\"\ncarry_limit = 1.5\n")).await;
    let asks = pool.lp_with("asks", &["ask 10 0.004"]).await;
    let bids = pool.lp_with("bids", &["bid 10 0.004"]).await;
    for _ in 0..3 {
        submit_all(&pool, &[&asks]).await;
        pool.end_round().await;
    }
    submit_all(&pool, &[&bids]).await;
    pool.end_round().await;
    assert_eq!(pool.reward_of(&bids).await, "2.5");
}

#[tokio::test]
async fn what_finds_nobody_can_go_to_the_other_side_or_nowhere() {
    for (unpaid, earned) in [("move", "2"), ("drop", "1")] {
        let pool = pool_with(&format!("{FIXED_COST}unpaid = \"{unpaid}\"\n")).await;
        let asks = pool.lp_with("asks", &["ask 10 0.004"]).await;
        submit_all(&pool, &[&asks]).await;
        pool.end_round().await;
        assert_eq!(pool.reward_of(&asks).await, earned, "{unpaid}");
    }
}

/// What two LPs earn in a round: one with 500 in one order, the other with these orders.
async fn rewards(rules: &str, orders: &[&str]) -> (String, String) {
    let pool = pool_with(rules).await;
    let one = pool.lp_with("one", &["ask 500 0.004"]).await;
    let other = pool.lp_with("other", orders).await;
    submit_all(&pool, &[&one, &other]).await;
    pool.end_round().await;
    (pool.reward_of(&one).await, pool.reward_of(&other).await)
}

#[tokio::test]
async fn dust_earns_nothing_below_the_smallest_order() {
    let dust = ["ask 9 0.004"; 3];
    let with = rewards(&format!("{FIXED_POT}min_order = 10\n{ASKS_ONLY}"), &dust).await;
    assert_eq!(with, ("0.03".to_owned(), "0".to_owned()));
    let without = rewards(&format!("{FIXED_POT}{ASKS_ONLY}"), &dust).await;
    assert_eq!(without, ("0.03".to_owned(), "0.00162".to_owned()));
}

#[tokio::test]
async fn of_many_orders_of_an_lp_the_largest_count() {
    let many = ["ask 100 0.004", "ask 300 0.004", "ask 200 0.004"];
    let with = rewards(&format!("{FIXED_POT}max_orders = 2\n{ASKS_ONLY}"), &many).await;
    assert_eq!(with, ("0.03".to_owned(), "0.03".to_owned()));
}

#[tokio::test]
async fn one_coin_on_an_empty_side_finds_no_jackpot_under_a_cap() {
    let rules = |cap: &str| format!("{FIXED_COST}{cap}");
    let with = rewards(&rules("cap = 0.0144\n"), &["bid 1 0.004"]).await;
    assert_eq!(with.1, "0.00001", "0.0144 for a coin and day");
    let without = rewards(&rules(""), &["bid 1 0.004"]).await;
    assert_eq!(without.1, "1");
}

#[tokio::test]
async fn one_side_does_not_fill_the_target_of_the_other() {
    let sides = |target: &str| {
        let side = |name| {
            format!("[units.btc.{name}]\nratio = 0.5\n{target}rank_1 = {{ ratio = 1, tolerance = 0.01 }}\n")
        };
        format!("reward = 0.06\nfills_target = \"all\"\n{}{}", side("ask"), side("bid"))
    };
    let with = rewards(&sides("target = 500\n"), &["bid 1 0.004"]).await;
    assert_eq!(with, ("0.03".to_owned(), "0.00006".to_owned()));
    let without = rewards(&format!("target = 500\n{}", sides("")), &["bid 1 0.004"]).await;
    assert_eq!(without, ("0.03".to_owned(), "0.03".to_owned()));
}

#[tokio::test]
async fn far_orders_do_not_fill_the_target_of_a_near_rank() {
    let side = |name| {
        format!(
            "[units.btc.{name}]\nratio = 0.5\nrank_1 = {{ ratio = 0.8, tolerance = 0.01, target = 1000 }}\n\
             rank_2 = {{ ratio = 0.2, target = 500 }}\n"
        )
    };
    let rules = format!("reward = 0.1\nfills_target = \"all\"\n{}{}", side("ask"), side("bid"));
    let (near, far) = rewards(&rules, &["ask 5000 1"]).await;
    assert_eq!((near.as_str(), far.as_str()), ("0.02", "0.01"));
}

#[tokio::test]
async fn an_order_weighs_the_more_the_longer_it_stands() {
    let pool = pool_with(&format!("{FIXED_POT}maturing_seconds = 120\n{ASKS_ONLY}")).await;
    let steady = pool.lp_with("steady", &["ask 500 0.004"]).await;
    let fresh = pool.lp_with("fresh", &[]).await;
    let mut earned = Vec::new();
    for _ in 0..3 {
        pool.place(&fresh, "NBT_BTC", "ask 500 0.004");
        submit_all(&pool, &[&steady, &fresh]).await;
        pool.exchange().cancel_market(&fresh.key, "NBT_BTC").unwrap();
        pool.end_round().await;
        pool.pass(4_000);
        earned.push((pool.reward_of(&steady).await, pool.reward_of(&fresh).await));
    }
    // 55, 115 and 175 of 120 seconds, in 4096 steps; the other is never older than 55.
    let expected = [("0.01374756", "0.01374756"), ("0.04249512", "0.02749512"), ("0.07249512", "0.04124268")];
    assert_eq!(earned, expected.map(|(steady, fresh)| (steady.to_owned(), fresh.to_owned())));
}

fn coins(text: &str) -> Coins {
    Coins::parse(text).unwrap()
}

fn amount(text: &str) -> Amount {
    Amount::parse(text).unwrap()
}

fn rate(text: &str) -> Rate {
    Rate::parse(text).unwrap()
}

/// Every engine of a side, as it stands in a file and as it is made.
fn engines() -> Vec<(&'static str, SideEngine)> {
    let tolerance = Ratio::parse("0.01").unwrap();
    let tllp = |highest| SideEngine::AuctionTllp(TllpRule::new(highest, amount("1000")).unwrap());
    vec![
        (
            "engine = \"fixed_cost\"\ndaily = 7.5",
            SideEngine::FixedCost(FixedCostRule::new(coins("7.5")).unwrap()),
        ),
        ("engine = \"auction_tllp\"\nrate = 2.5\ntarget = 1000", tllp(Highest::Rate(rate("2.5")))),
        ("engine = \"auction_tllp\"\ndaily = 7.5\ntarget = 1000", tllp(Highest::DailyCost(coins("7.5")))),
        (
            "engine = \"sigmoid\"\nrate = 2.5\ntarget = 1000\nwidth = 100",
            SideEngine::Sigmoid(SigmoidRule::new(rate("2.5"), amount("1000"), amount("100")).unwrap()),
        ),
        (
            "engine = \"uniform_auction\"\nrate = 2.5\ntarget = 2000",
            SideEngine::UniformAuction(UniformAuctionRule::new(rate("2.5"), amount("2000")).unwrap()),
        ),
        (
            "engine = \"spread_weighted\"\ndaily = 7.5\npower = 2",
            SideEngine::SpreadWeighted(SpreadWeightedRule::new(coins("7.5"), tolerance, 2).unwrap()),
        ),
    ]
}

#[tokio::test]
async fn each_engine_credits_in_the_pool_what_it_computes_alone() {
    for (rules, engine) in engines() {
        let pool = pool_with(&format!("{rules}\ntolerance = 0.01\n")).await;
        let one = pool.lp_with("one", &["ask 900 0.004", "ask 33.3 0.00402"]).await;
        let other = pool.lp_with("other", &["bid 600 0.004", "ask 250 0.00401"]).await;
        submit_all(&pool, &[&one, &other]).await;
        pool.end_round().await;
        let order = |lp, id: &str, side, shown, deviation_e8| BookOrder {
            lp: LpId(lp),
            id: id.to_owned(),
            side,
            amount: amount(shown),
            rank: Some(RankNumber(1)),
            deviation_e8,
            min_rate: None,
            age_s: None,
        };
        // 1 - 0.004 / 0.00402 and 1 - 0.004 / 0.00401, half to even.
        let book = [
            order(1, "a", Side::Ask, "900", 0),
            order(1, "b", Side::Ask, "33.3", 497_512),
            order(2, "c", Side::Bid, "600", 0),
            order(2, "d", Side::Ask, "250", 249_377),
        ];
        let book = Book::new(1, book.to_vec()).unwrap();
        let market = MarketEngine::PerSide { ask: engine.clone(), bid: engine };
        let alone = MarketRules::new(market, Counting::default(), Unpaid::Drop).unwrap();
        let round = Round { start_s: START_S, length: RoundLength::MINUTE };
        let share = share_market(&alone, &book, round, PerSide::both(Coins::ZERO)).unwrap();
        let credits: Vec<String> = share.credits.iter().map(|credit| credit.credit.to_string()).collect();
        assert_eq!([pool.reward_of(&one).await, pool.reward_of(&other).await], credits[..], "{rules}");
        assert!(share.credits.iter().all(|credit| credit.credit > Coins::ZERO), "{rules}");
        let status = pool.get("/status").await.json();
        let shown = &status["message"]["rewards"]["test_exchange"]["btc"];
        assert!(shown["ask"]["rank_1"].as_f64().unwrap() > 0.0, "{rules}: {shown}");
        let info = pool.orders_of(&one).await[0]["credit_info"].clone();
        assert!(info["unit_reward"].as_f64().unwrap() > 0.0, "{rules}: {info}");
    }
}

#[tokio::test]
async fn each_side_can_have_an_engine_of_its_own() {
    let pool = pool_with(
        "tolerance = 0.01\n[units.btc.ask]\nengine = \"fixed_cost\"\ndaily = 1440\n\
         [units.btc.bid]\nengine = \"uniform_auction\"\nrate = 0.0144\ntarget = 1000\ntolerance = 0.1\n",
    )
    .await;
    let lp = pool.lp_with("alice", &["ask 10 0.004", "bid 100 0.0037"]).await;
    submit_all(&pool, &[&lp]).await;
    pool.end_round().await;
    assert_eq!(pool.reward_of(&lp).await, "1.001");
    let shown = pool.get("/exchanges").await.json()["test_exchange"]["btc"].clone();
    assert_eq!(shown["rules"]["engine"]["per_side"]["ask"]["engine"]["fixed_cost"]["daily"], "1440");
    assert_eq!(
        (&shown["target"], &shown["bid"]["rank_1"]["tolerance"].to_string()),
        (&1000.into(), &"0.1".into())
    );
}
