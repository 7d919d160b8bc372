//! Pages of long lists, in the order of their ids.

/// Maximum number of rows of a page, and its default.
const PAGE_SIZE: u64 = 1000;

/// Page of a list.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Page<I> {
    /// Maximum number of rows.
    pub(crate) limit: u64,
    /// Id after which the page begins; for lists with the newest row first, before which.
    pub(crate) after: Option<I>,
}

impl<I> Page<I> {
    /// Returns the page that the parameters of a request ask for. The document limits `limit` to 1
    /// to [`PAGE_SIZE`].
    pub(crate) fn new(limit: Option<i32>, after: Option<I>) -> Self {
        let limit = limit.and_then(|limit| limit.try_into().ok());
        Self {
            limit: limit.unwrap_or(PAGE_SIZE),
            after,
        }
    }

    /// Returns the page behind the rows of this one; `None` if it is the last one.
    pub(crate) fn next<T>(self, rows: &[T], id: impl Fn(&T) -> I) -> Option<Self> {
        let last = rows.last().filter(|_| rows.len() as u64 == self.limit)?;
        Some(Self {
            after: Some(id(last)),
            ..self
        })
    }
}
