//! Who holds a natural key. Free → held → free again.
//! Invariant: a key has at most one holder at a time.

use daybook_schema::{
    governance::{NaturalKeyEvent, NaturalKeyId},
    kernel::{Code, NaturalKey},
};

use crate::{Aggregate, Declined, Desk, refusal::rejection};

/// The holder of a key, if any.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct KeyHolder(Option<String>);

/// The rule about natural keys.
#[derive(Debug, thiserror::Error, strum::IntoStaticStr, strum::VariantNames)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum NaturalKeyRejection {
    /// Another object has the key.
    #[error("the {kind} already belongs to `{holder}`")]
    NaturalKeyTaken {
        /// What kind of key.
        kind: &'static str,
        /// The object that has it.
        holder: String,
    },
}
rejection!(NaturalKeyRejection);

impl Aggregate for KeyHolder {
    type Id = NaturalKeyId;
    type Event = NaturalKeyEvent;

    fn evolve(self, event: &NaturalKeyEvent) -> Self {
        match event {
            NaturalKeyEvent::NaturalKeyReserved { holder, .. } => Self(Some(holder.clone())),
            NaturalKeyEvent::NaturalKeyReleased { .. } => Self(None),
        }
    }
}

/// Makes `holder` hold exactly the keys in `wanted` instead of those in `held`.
pub(crate) fn exchange(
    desk: &mut Desk<'_>,
    holder: &impl ToString,
    held: &[NaturalKey],
    wanted: &[NaturalKey],
) -> Result<(), Declined> {
    let holder = holder.to_string();
    for key in held.iter().filter(|key| !wanted.contains(key)) {
        let released = NaturalKeyEvent::NaturalKeyReleased {
            kind: kind_of(key)?,
            holder: holder.clone(),
        };
        desk.record(&NaturalKeyId::from(key), released)?;
    }
    for key in wanted.iter().filter(|key| !held.contains(key)) {
        reserve(desk, key, &holder)?;
    }
    Ok(())
}

fn reserve(desk: &mut Desk<'_>, key: &NaturalKey, holder: &str) -> Result<(), Declined> {
    let id = NaturalKeyId::from(key);
    match &desk.load::<KeyHolder>(&id)?.0 {
        Some(other) if other == holder => Ok(()),
        Some(other) => Err(NaturalKeyRejection::NaturalKeyTaken {
            kind: key.kind,
            holder: other.clone(),
        }
        .into()),
        None => {
            let event = NaturalKeyEvent::NaturalKeyReserved {
                kind: kind_of(key)?,
                holder: holder.into(),
            };
            Ok(desk.record(&id, event)?)
        }
    }
}

fn kind_of(key: &NaturalKey) -> Result<Code, Declined> {
    key.kind
        .parse()
        .map_err(|_| crate::Fault::UnknownStream(key.kind.to_owned()).into())
}
