//! Who asks, as far as the transport needs to know.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

/// Who asks: a key by which limits are kept, and whatever the GraphQL side knows besides.
#[derive(Clone)]
pub struct Identity {
    key: Arc<str>,
    known: Option<Arc<dyn Any + Send + Sync>>,
}

impl Identity {
    /// The key of everybody who is nobody in particular.
    pub const ANONYMOUS: &'static str = "anonymous";

    /// Nobody in particular.
    #[must_use]
    pub fn anonymous() -> Self {
        Self::new(Self::ANONYMOUS)
    }

    /// Somebody. The key must be the same for every request of the same caller, whichever of its
    /// tokens it brings, and must be no secret: it may stand in logs.
    #[must_use]
    pub fn new(key: impl Into<Arc<str>>) -> Self {
        Self {
            key: key.into(),
            known: None,
        }
    }

    /// The same identity with what the GraphQL side wants to find again, such as permissions.
    #[must_use]
    pub fn with<T: Any + Send + Sync>(mut self, known: T) -> Self {
        self.known = Some(Arc::new(known));
        self
    }

    /// The key by which limits are kept.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Whether nobody was established.
    #[must_use]
    pub fn is_anonymous(&self) -> bool {
        &*self.key == Self::ANONYMOUS
    }

    /// What [`with`](Self::with) was given, where it was of this type.
    #[must_use]
    pub fn known<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        Arc::clone(self.known.as_ref()?).downcast().ok()
    }
}

/// What the GraphQL side knows may hold secrets, so only the key is shown.
impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Identity").field(&self.key).finish()
    }
}
