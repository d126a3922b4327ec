//! The right to use an organisation, which keeps it open.

use std::{ops::Deref, sync::Arc};

use uuid::Uuid;

use super::Shared;
use crate::Organisation;

/// An organisation in use; cheap to clone. It is not closed before the last clone is gone.
#[derive(Clone)]
pub struct Lease(Arc<Held>);

/// Fields are dropped in their order: whoever hears of the leaving finds the place free.
struct Held {
    organisation: Arc<Organisation>,
    _room: Option<Leaving>,
}

struct Leaving {
    house: Arc<Shared>,
    id: Uuid,
}

impl Lease {
    pub(super) fn new(organisation: Arc<Organisation>, house: Arc<Shared>) -> Self {
        let id = organisation.id();
        Self(Arc::new(Held {
            organisation,
            _room: Some(Leaving { house, id }),
        }))
    }
}

/// An organisation that is open by itself, outside of any house.
impl From<Arc<Organisation>> for Lease {
    fn from(organisation: Arc<Organisation>) -> Self {
        Self(Arc::new(Held {
            organisation,
            _room: None,
        }))
    }
}

impl Deref for Lease {
    type Target = Organisation;

    fn deref(&self) -> &Organisation {
        &self.0.organisation
    }
}

impl Drop for Leaving {
    fn drop(&mut self) {
        self.house.let_go(self.id);
    }
}
