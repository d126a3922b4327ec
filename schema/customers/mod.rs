//! Customers: who we sell to, their contacts, their grade, and every talk with them.

mod customer;
mod interaction;

pub use customer::{
    AddContact, AssignCustomerOwner, ChangeCustomerDetails, ClassifyCustomer, Contact, ContactId,
    CorrectCustomerDetails, CustomerCommand, CustomerDetails, CustomerEvent, CustomerGrade,
    CustomerId, CustomerType, DeactivateCustomer, GradeCustomer, ReactivateCustomer,
    RegisterCustomer, RemoveContact,
};
pub use interaction::{
    Channel, CorrectInteraction, Direction, InteractionCommand, InteractionDetails,
    InteractionEvent, InteractionId, LogInteraction,
};
