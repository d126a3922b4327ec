//! Which commits to show.

use clap::Args;
use daybook_schema::kernel::Actor;

/// Everything that is given must hold; of repeated options, one of the values.
#[derive(Debug, Default, Args)]
pub(super) struct Filter {
    /// With an event of this object, such as `order-0192f0c1-…`.
    #[arg(long, value_name = "ID")]
    pub(super) stream: Option<String>,
    /// With an event of this type, such as `OrderPlaced`; may be repeated.
    #[arg(long = "type", value_name = "TYPE")]
    pub(super) types: Vec<String>,
    /// Answers to this command, such as `PlaceOrder`; may be repeated.
    #[arg(long = "command", value_name = "COMMAND")]
    pub(super) commands: Vec<String>,
    /// By this actor; may be repeated.
    #[arg(long = "actor", value_name = "NAME")]
    pub(super) actors: Vec<Actor>,
    /// Only commands that a rule refused.
    #[arg(long)]
    pub(super) refused: bool,
}

/// Whether a repeated option allows a value; one that was not given allows all.
pub(super) fn allows<T, U: ?Sized>(wanted: &[T], value: &U) -> bool
where
    T: PartialEq<U>,
{
    wanted.is_empty() || wanted.iter().any(|wanted| wanted == value)
}
