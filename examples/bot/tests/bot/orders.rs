use std::time::Duration;

use alp_bot::{Event, Settings};
use alp_simulated_exchange::{Behaviour, Order, Side};

use crate::fake_pool::Mood;
use crate::scene::{KEY, QUICK, Scene};

fn prices(orders: &[Order], side: Side) -> Vec<String> {
    let side = orders.iter().filter(|order| order.side == side);
    side.map(|order| order.price.to_string()).collect()
}

#[tokio::test]
async fn orders_stand_around_the_price_before_the_first_submission() {
    let scene = Scene::set().await;
    let mut bot = scene.run(QUICK, None);
    bot.accepted().await;
    let orders = scene.exchange.orders(KEY).unwrap();
    assert_eq!(prices(&orders, Side::Buy), ["0.002495", "0.002475"]);
    assert_eq!(prices(&orders, Side::Sell), ["0.002505", "0.002525"]);
    let amounts: Vec<String> = orders.iter().map(|order| order.amount.to_string()).collect();
    assert_eq!(amounts, ["100", "100", "50", "50"]);
}

#[tokio::test]
async fn what_the_bot_submits_lists_its_orders_at_the_exchange() {
    let scene = Scene::set().await;
    scene.pool.on_liquidity(Mood::Hang);
    let bot = scene.run(QUICK, None);
    let submitted = scene.pool.heard("/liquidity", 1).await[0].json();
    let listed = scene.list(&submitted).await;
    assert_eq!(listed["orders"].as_array().map(Vec::len), Some(4), "{listed}");
    bot.stop().await;
}

#[tokio::test]
async fn orders_follow_the_price() {
    let scene = Scene::set().await;
    let mut bot = scene.run(QUICK, None);
    bot.accepted().await;
    scene.exchange.set_price("NBT_BTC", "0.003".parse().unwrap()).unwrap();
    let followed = |orders: &[Order]| {
        prices(orders, Side::Buy) == ["0.002994", "0.00297"]
            && prices(orders, Side::Sell) == ["0.003006", "0.00303"]
    };
    scene.orders(followed).await;
}

#[tokio::test]
async fn orders_stand_still_while_the_price_does() {
    let scene = Scene::set().await;
    let mut bot = scene.run(QUICK, None);
    bot.accepted().await;
    let before = scene.exchange.orders(KEY).unwrap();
    let looks = scene.exchange.requests().count + 5;
    scene.exchange.wait_for_requests(looks).await;
    assert_eq!(scene.exchange.orders(KEY).unwrap(), before);
}

#[tokio::test]
async fn a_restless_bot_moves_its_orders_though_the_price_stands_still() {
    let scene = Scene::set().await;
    let mut bot = scene.run(QUICK, Some((1, 20)));
    bot.accepted().await;
    let first = scene.orders(|orders| orders.len() == 4).await;
    let last = first.iter().map(|order| order.id).max().unwrap();
    let moved = |orders: &[Order]| orders.len() == 4 && orders.iter().all(|o| o.id > last);
    let orders = scene.orders(moved).await;
    assert_eq!(prices(&orders, Side::Buy), prices(&first, Side::Buy));
}

#[tokio::test]
async fn a_bot_that_stops_takes_its_orders_back_within_a_second() {
    let scene = Scene::set().await;
    let mut bot = scene.run(QUICK, None);
    bot.accepted().await;
    assert_eq!(scene.exchange.orders(KEY).unwrap().len(), 4);
    let (took, _) = bot.stop().await;
    assert!(took < Duration::from_secs(1), "{took:?}");
    assert_eq!(scene.exchange.orders(KEY).unwrap(), []);
}

#[tokio::test]
async fn a_bot_stops_within_a_second_though_the_exchange_hangs() {
    let scene = Scene::set().await;
    let mut bot = scene.run(QUICK, None);
    bot.accepted().await;
    scene.exchange.set_behaviour(Behaviour::Hang);
    let (took, _) = bot.stop().await;
    assert!(took < Duration::from_secs(1), "{took:?}");
}

#[tokio::test]
async fn orders_that_are_not_credited_are_taken_back_until_the_pool_accepts_again() {
    let scene = Scene::set().await;
    let settings = Settings { silence: Duration::from_millis(200), ..QUICK };
    let mut bot = scene.run(settings, None);
    bot.accepted().await;
    scene.pool.on_liquidity(Mood::Say(false, "closed"));
    bot.until(|event| matches!(event, Event::Silent { .. })).await;
    scene.orders(<[Order]>::is_empty).await;
    // The bot goes on asking, and does not place anything meanwhile.
    bot.until(|event| matches!(event, Event::Refused { .. })).await;
    bot.until(|event| matches!(event, Event::Refused { .. })).await;
    assert_eq!(scene.exchange.orders(KEY).unwrap(), []);
    scene.pool.on_liquidity(Mood::Say(true, "no orders found"));
    scene.orders(|orders| orders.len() == 4).await;
}

#[tokio::test]
async fn an_exchange_that_fails_is_reported_and_the_orders_are_set_right_afterwards() {
    let scene = Scene::set().await;
    let mut bot = scene.run(QUICK, None);
    bot.accepted().await;
    scene.exchange.set_behaviour(Behaviour::Outage);
    let event = bot.until(|event| matches!(event, Event::NotTraded { .. })).await;
    let Event::NotTraded { reason } = event else { panic!("{event:?}") };
    assert!(!reason.contains(crate::scene::SECRET), "{reason}");
    scene.exchange.set_price("NBT_BTC", "0.0026".parse().unwrap()).unwrap();
    scene.exchange.set_behaviour(Behaviour::Normal);
    scene.orders(|orders| prices(orders, Side::Buy) == ["0.0025948", "0.002574"]).await;
}

#[tokio::test]
async fn taking_orders_back_is_tried_until_it_succeeds() {
    let scene = Scene::set().await;
    let settings = Settings { silence: Duration::from_millis(200), ..QUICK };
    let mut bot = scene.run(settings, None);
    bot.accepted().await;
    scene.pool.on_liquidity(Mood::Say(false, "closed"));
    scene.exchange.set_behaviour(Behaviour::Outage);
    bot.until(|event| matches!(event, Event::Silent { .. })).await;
    bot.until(|event| matches!(event, Event::NotTraded { .. })).await;
    assert_eq!(scene.exchange.orders(KEY).unwrap().len(), 4);
    scene.exchange.set_behaviour(Behaviour::Normal);
    scene.orders(<[Order]>::is_empty).await;
}
