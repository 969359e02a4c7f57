//! A pool that makes backups and pays over a wallet's double, on either database.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use alp_server::backup::{self, Manifest, PublishedSince, Restored};
use alp_server::config::{Config, PoolConfig};
use alp_server::payouts::{DAY_MS, Payer, PayoutCommand};
use alp_store::Lease;
use alp_tests::{Lp, Settings, TestPool, WalletDouble};
use tempfile::TempDir;

/// The password of the wallet, to be found nowhere.
pub(super) const WALLET_PASSWORD: &str = "wallet-password-that-is-nowhere";

/// Which database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Database {
    Sqlite,
    Postgres,
}

/// The pool, its wallet, and two LPs who are owed 0.03 and nothing.
pub(super) struct PayingPool {
    pub(super) pool: TestPool,
    pub(super) wallet: WalletDouble,
    pub(super) alice: Lp,
    pub(super) outside: TempDir,
    database: Database,
}

/// Writes a secret that only this user can read.
pub(super) fn write_secret(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

impl PayingPool {
    /// `None` where the database is not installed.
    pub(super) async fn start(database: Database, method: &str) -> Option<Self> {
        let outside = tempfile::tempdir().unwrap();
        write_secret(&outside.path().join("backup.key"), &[9; 32]);
        write_secret(&outside.path().join("wallet.password"), WALLET_PASSWORD.as_bytes());
        let wallet = WalletDouble::start().await;
        let mut settings = Settings::default();
        if database == Database::Postgres {
            let url = alp_store::testing::postgres_database().await?;
            settings = settings.top(&format!("database = {url:?}"));
        }
        let path = |name: &str| outside.path().join(name).display().to_string();
        settings.sections.push_str(&format!(
            "[backup]\nkey_file = {:?}\n[payouts]\npool_id = \"test\"\nmethod = {method:?}\nwallet_url = {:?}\n\
             wallet_user = \"alp\"\nwallet_password_file = {:?}\nminimum = 0.001\nsmallest_output = 0.0001\n\
             confirmations = 1\n",
            path("backup.key"),
            format!("{}/", wallet.origin()),
            path("wallet.password"),
        ));
        let pool = TestPool::start_with(settings).await;
        let alice = pool.lp_with("alice", &["ask 1500 0.004"]).await;
        let this = Self { pool, wallet, alice, outside, database };
        this.earn().await;
        Some(this)
    }

    /// A round in which alice earns 0.03.
    pub(super) async fn earn(&self) {
        self.pool.submit_btc(&self.alice).await;
        self.pool.end_round().await;
    }

    /// The first step only notes that payouts begin; a day later they are due.
    pub(super) async fn let_a_payout_be_due(&self) {
        alp_server::payouts::payouts_once(self.pool.app()).await;
        self.pool.pass(DAY_MS);
        self.wallet.set(self.pool.now_ms() / 1000, "1000");
    }

    pub(super) fn payer(&self) -> &Payer {
        self.pool.app().payer.as_ref().unwrap()
    }

    pub(super) async fn lease(&self) -> Lease {
        self.pool.app().lead().await.unwrap().unwrap()
    }

    /// One step of payouts. Whether another follows.
    pub(super) async fn step(&self) -> bool {
        let lease = self.lease().await;
        self.payer().step(&lease, self.pool.now_ms()).await.unwrap().goes_on()
    }

    /// Lets blocks come until payouts have nothing to do.
    pub(super) async fn pay(&self) {
        for _ in 0..4 {
            while self.step().await {}
            self.wallet.mine(1);
        }
    }

    pub(super) async fn order(&self, command: PayoutCommand) -> Result<String, String> {
        let lease = self.lease().await;
        self.payer().obey(Some(&lease), command).await
    }

    /// What alice is owed, in 1e-8.
    pub(super) async fn owed_e8(&self) -> i64 {
        self.pool.app().store.owing(0, 10).await.unwrap()[0].owed_e8
    }

    pub(super) fn config(&self) -> PoolConfig {
        Config::read(&self.pool.pool_file()).unwrap_or_else(|faults| panic!("{faults}")).pool
    }

    pub(super) async fn back_up(&self, name: &str) -> Manifest {
        let to = self.outside.path().join(name);
        backup::make(&self.config(), &to, backup::unseen()).await.unwrap()
    }

    /// A place where there is nothing.
    pub(super) async fn empty_place(&self) -> String {
        match self.database {
            Database::Sqlite => {
                let folder = tempfile::tempdir_in(self.outside.path()).unwrap().keep();
                format!("sqlite:{}", folder.join("restored.db").display())
            }
            Database::Postgres => {
                let cluster = alp_store::testing::cluster().await.unwrap();
                cluster.empty_database().await
            }
        }
    }

    /// Stops the pool, puts the backup back at another place, and has the pool's configuration name that.
    pub(super) async fn restore(&mut self, name: &str, published: PublishedSince) -> Restored {
        self.pool.stop().await;
        let (from, to) = (self.outside.path().join(name), self.empty_place().await);
        let restored =
            backup::restore(&self.config(), &from, Some(&to), &published, backup::unseen()).await.unwrap();
        let text = fs::read_to_string(self.pool.pool_file()).unwrap();
        let others = text.lines().filter(|line| !line.starts_with("database = "));
        let text = format!("database = {to:?}\n{}", others.collect::<Vec<_>>().join("\n"));
        fs::write(self.pool.pool_file(), text).unwrap();
        restored
    }
}
