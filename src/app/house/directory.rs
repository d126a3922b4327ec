//! Where callers look for their organisation: there is one, or a house of them.

use std::sync::Arc;

use uuid::Uuid;

use super::{House, HouseError, Lease};
use crate::Organisation;

/// The organisations that a server answers for; cheap to clone.
#[derive(Clone)]
pub enum Directory {
    /// One, which is always open.
    One(Lease),
    /// Those of a house.
    House(House),
}

impl From<Arc<Organisation>> for Directory {
    fn from(organisation: Arc<Organisation>) -> Self {
        Self::One(organisation.into())
    }
}

impl From<House> for Directory {
    fn from(house: House) -> Self {
        Self::House(house)
    }
}

impl Directory {
    /// Enters an organisation.
    ///
    /// # Errors
    /// As [`House::enter`].
    pub async fn enter(&self, id: Uuid) -> Result<Lease, HouseError> {
        match self {
            Self::One(lease) if lease.id() == id => Ok(lease.clone()),
            Self::One(_) => Err(HouseError::Unknown { organisation: id }),
            Self::House(house) => house.enter(id).await,
        }
    }

    /// Refuses whoever may not stay in an organisation any more.
    ///
    /// # Errors
    /// As [`House::admits`].
    pub fn admits(&self, id: Uuid) -> Result<(), HouseError> {
        match self {
            Self::One(_) => Ok(()),
            Self::House(house) => house.admits(id),
        }
    }

    /// The organisation of whoever names none: the only one, where there is only one.
    pub fn only(&self) -> Option<Lease> {
        match self {
            Self::One(lease) => Some(lease.clone()),
            Self::House(_) => None,
        }
    }
}
