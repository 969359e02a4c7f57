//! A whole pool that pays: its payouts stand in its record, and whatever is done to them there is found.

use std::path::PathBuf;

use alp_record::chain::{Body, Entry};
use alp_server::loops::rounds_once;
use alp_server::payouts::{DAY_MS, payouts_once};
use alp_server::record::read_signing_key;
use alp_server::verify::{Outcome, Verification, report, verify};
use alp_tests::{Lp, Settings, TestPool, WalletDouble};
use tempfile::TempDir;

/// A pool with a wallet, and two LPs who have orders.
pub(crate) struct PayingPool {
    pub(crate) pool: TestPool,
    pub(crate) wallet: WalletDouble,
    pub(crate) alice: Lp,
    pub(crate) bob: Lp,
    pub(crate) folder: TempDir,
}

impl PayingPool {
    pub(crate) async fn start() -> Self {
        let (wallet, folder) = (WalletDouble::start().await, tempfile::tempdir().unwrap());
        let password = folder.path().join("password");
        std::fs::write(&password, "secret").unwrap();
        let mut settings = Settings::default();
        settings.sections.push_str(&format!(
            "[payouts]\npool_id = \"test\"\nmethod = \"prepared\"\nwallet_url = {:?}\nwallet_user = \"alp\"\n\
             wallet_password_file = {:?}\nminimum = 0.01\nfee_per_address = 0.001\nsmallest_output = 0.001\n\
             confirmations = 2\n",
            wallet.origin(),
            password.display().to_string()
        ));
        let pool = TestPool::start_with(settings).await;
        let alice = pool.lp_with("alice", &["ask 900 0.004", "bid 300 0.00398"]).await;
        let bob = pool.lp_with("bob", &["ask 1200 0.004"]).await;
        Self { pool, wallet, alice, bob, folder }
    }

    /// Runs so many rounds in which both show their orders.
    pub(crate) async fn rounds(&self, count: u64) {
        for _ in 0..count {
            self.pool.submit_btc(&self.alice).await;
            self.pool.submit_btc(&self.bob).await;
            self.pool.end_round().await;
        }
    }

    /// Lets a day pass and pays what is due.
    pub(crate) async fn pay(&self) {
        payouts_once(self.pool.app()).await;
        self.pool.pass(DAY_MS);
        self.wallet.set(self.pool.now_ms() / 1000, "1000");
        for _ in 0..5 {
            rounds_once(self.pool.app()).await.unwrap();
            payouts_once(self.pool.app()).await;
            self.wallet.mine(1);
        }
        let payouts = self.pool.app().store.newest_payouts(1).await.unwrap();
        assert!(payouts.iter().all(|payout| payout.stage == "paid"), "{payouts:?}");
    }

    pub(crate) fn record(&self) -> String {
        format!("http://{}", self.pool.address())
    }

    /// The entries in a folder of their own, checked.
    async fn saved(&self) -> (PathBuf, Outcome) {
        let save = self.folder.path().join("entries");
        let saving =
            Verification { record: self.record(), save: Some(save.clone()), ..Verification::default() };
        (save, right(&saving).await)
    }
}

async fn right(verification: &Verification) -> Outcome {
    let outcome = verify(verification, |_, _| {}).await.unwrap();
    assert!(outcome.findings().is_empty(), "{}", report(&outcome));
    outcome
}

async fn found(folder: &std::path::Path) -> Vec<String> {
    let of_folder = Verification { record: folder.display().to_string(), ..Verification::default() };
    let outcome = verify(&of_folder, |_, _| {}).await.unwrap();
    outcome.findings().iter().map(ToString::to_string).collect()
}

/// The file of the entry with the payout.
fn payout_file(folder: &std::path::Path) -> (u64, PathBuf) {
    let is_payout = |file: &PathBuf| {
        let entry = Entry::read(&std::fs::read_to_string(file).unwrap()).unwrap();
        matches!(entry.body, Body::Payout(_)).then_some(entry.header.number)
    };
    let mut files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    files.find_map(|file| is_payout(&file).map(|number| (number, file))).expect("a payout is published")
}

#[tokio::test]
async fn what_a_pool_pays_stands_in_its_record_and_each_balance_adds_up() {
    let paying = PayingPool::start().await;
    paying.rounds(3).await;
    paying.pay().await;
    paying.rounds(1).await;
    let (_, outcome) = paying.saved().await;
    let store = &paying.pool.app().store;
    let owing = store.owing(0, 10).await.unwrap();
    let lp_ids: Vec<i64> = owing.iter().map(|lp| lp.lp_id).collect();
    let pseudonyms = paying.pool.app().publisher.pseudonyms(store, &lp_ids).await.unwrap();
    for lp in &owing {
        let balance = outcome.verified.balances[&pseudonyms[&lp.lp_id]];
        assert!(balance.paid_out_e8 > 0);
        assert_eq!(balance.credited_e8, i128::from(lp.credited_e8));
        assert_eq!(balance.owed_e8(), i128::from(lp.owed_e8));
    }
    let sent: u64 = paying.wallet.paid().values().sum();
    let paid_out: i128 = outcome.verified.balances.values().map(|balance| balance.paid_out_e8).sum();
    assert_eq!(paid_out, i128::from(sent) + 2 * 100_000, "what was sent, and the fee of two addresses");
    let said = report(&outcome);
    assert!(said.contains("+ corrections 0 - payouts 0."), "{said}");
    let each = alp_server::verify::balances(&outcome);
    assert_eq!(each.lines().count(), 2);
    assert!(each.contains(&pseudonyms[&owing[0].lp_id].to_string()), "{each}");
}

#[tokio::test]
async fn a_payout_that_was_altered_or_removed_or_is_too_large_is_found() {
    let paying = PayingPool::start().await;
    paying.rounds(2).await;
    paying.pay().await;
    paying.rounds(1).await;
    let (folder, _) = paying.saved().await;
    let (number, file) = payout_file(&folder);
    let text = std::fs::read_to_string(&file).unwrap();

    let amount = text.split("\"amount_e8\":").nth(1).unwrap().split(',').next().unwrap();
    std::fs::write(&file, text.replacen(amount, &format!("1{amount}"), 1)).unwrap();
    let altered = found(&folder).await;
    assert!(altered[0].contains("its body is not the one that was signed"), "{altered:?}");

    std::fs::remove_file(&file).unwrap();
    let removed = found(&folder).await;
    let (next, before) = (number + 1, number - 1);
    assert_eq!(removed, [format!("entry {next}: follows entry {before}: 1 between them are missing")]);

    // The pool itself, with its key, signs that it paid more.
    std::fs::remove_file(folder.join(format!("{next:010}.entry"))).unwrap();
    let mut entry = Entry::read(&text).unwrap();
    let Body::Payout(payout) = &mut entry.body else { panic!("no payout") };
    payout.lps[0].amount_e8 += 100_000_000;
    let before = std::fs::read_to_string(folder.join(format!("{before:010}.entry"))).unwrap();
    let before = Entry::read(&before).unwrap().header;
    let key = read_signing_key(&paying.pool.folder().join("alp.key")).unwrap();
    let header = entry.header;
    let signed = Entry::sign(&key, &header.pool, header.epoch, Some(&before), header.at_ms, entry.body);
    std::fs::write(&file, signed.text()).unwrap();
    let more = found(&folder).await;
    assert_eq!(more.len(), 1, "{more:?}");
    assert!(more[0].contains("more than it was owed, by "), "{more:?}");
}
