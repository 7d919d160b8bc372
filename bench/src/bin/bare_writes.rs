//! A bare loop that inserts one row durably, and shares commits as the service does.
//!
//! `bare_writes URL SECONDS AT_ONCE CONNECTIONS` writes into a table of its own, which it makes and
//! drops, and prints how many rows were durable in a second. With SQLite those that wait at the same
//! moment share one commit of one connection; PostgreSQL does it by itself for several connections.

use std::{
    env,
    error::Error,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use sqlx::{
    PgPool, SqliteConnection, SqlitePool,
    postgres::PgPoolOptions,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinSet,
};

const CREATE: &str = "CREATE TABLE bare_write (id BIGINT NOT NULL, name VARCHAR(255) NOT NULL)";
const DROP: &str = "DROP TABLE IF EXISTS bare_write";

type Result<T, E = Box<dyn Error + Send + Sync>> = std::result::Result<T, E>;

#[derive(Clone)]
enum Rows {
    Sqlite(mpsc::Sender<(i64, oneshot::Sender<()>)>),
    Postgres(PgPool),
}

impl Rows {
    async fn open(url: &str, at_once: usize, connections: u32) -> Result<Self> {
        let Some(file) = url.strip_prefix("sqlite:") else {
            let pool = PgPoolOptions::new().max_connections(connections);
            let pool = pool.connect(url).await?;
            sqlx::query(DROP).execute(&pool).await?;
            sqlx::query(CREATE).execute(&pool).await?;
            return Ok(Self::Postgres(pool));
        };
        let options = SqliteConnectOptions::new()
            .filename(file)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full);
        let pool = SqlitePoolOptions::new().max_connections(1);
        let pool = pool.connect_with(options).await?;
        sqlx::query(DROP).execute(&pool).await?;
        sqlx::query(CREATE).execute(&pool).await?;
        let (rows, waiting) = mpsc::channel(at_once);
        tokio::spawn(commit(pool, waiting));
        Ok(Self::Sqlite(rows))
    }

    /// Inserts a row, and waits until it is durable.
    async fn insert(&self, id: i64) -> Result<()> {
        match self {
            Self::Sqlite(rows) => {
                let (committed, outcome) = oneshot::channel();
                rows.send((id, committed)).await?;
                outcome.await?;
            }
            Self::Postgres(pool) => {
                let insert = sqlx::query("INSERT INTO bare_write VALUES ($1, $2)");
                insert.bind(id).bind(name(id)).execute(pool).await?;
            }
        }
        Ok(())
    }
}

fn name(id: i64) -> String {
    format!("Game {id}")
}

/// Commits together what waits at the same moment.
async fn commit(
    pool: SqlitePool,
    mut waiting: mpsc::Receiver<(i64, oneshot::Sender<()>)>,
) -> Result<()> {
    let mut rows = Vec::new();
    while waiting.recv_many(&mut rows, usize::MAX).await > 0 {
        let mut transaction = pool.begin().await?;
        for (id, _) in &rows {
            insert(&mut transaction, *id).await?;
        }
        transaction.commit().await?;
        for (_, committed) in rows.drain(..) {
            // Whoever wrote it may wait no longer.
            let _ = committed.send(());
        }
    }
    Ok(())
}

async fn insert(connection: &mut SqliteConnection, id: i64) -> Result<()> {
    let insert = sqlx::query("INSERT INTO bare_write VALUES (?, ?)");
    insert.bind(id).bind(name(id)).execute(connection).await?;
    Ok(())
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [url, seconds, at_once, connections] = arguments.as_slice() else {
        return Err("the arguments are URL SECONDS AT_ONCE CONNECTIONS".into());
    };
    let (seconds, at_once) = (seconds.parse()?, at_once.parse()?);
    let rows = Rows::open(url, at_once, connections.parse()?).await?;
    let next = Arc::new(AtomicU64::new(0));
    let began = Instant::now();
    let mut writers = JoinSet::new();
    for _ in 0..at_once {
        let (rows, next) = (rows.clone(), Arc::clone(&next));
        writers.spawn(async move {
            while began.elapsed() < Duration::from_secs(seconds) {
                rows.insert(next.fetch_add(1, Ordering::Relaxed) as i64)
                    .await?;
            }
            Ok::<_, Box<dyn Error + Send + Sync>>(())
        });
    }
    while let Some(ended) = writers.join_next().await {
        ended??;
    }
    let rate = next.load(Ordering::Relaxed) as f64 / began.elapsed().as_secs_f64();
    println!("{rate:.0}");
    Ok(())
}
