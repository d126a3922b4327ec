//! Customers in the API.

use daybook_projections::customers::{CustomerRow, InteractionRow};

use super::{
    links::objects,
    orders::{Order, Shipment},
};

objects! {
    /// A customer (客户).
    Customer(CustomerRow) = "customer", customer, customers {
        many {
            /// Talks with the customer (沟通记录).
            interactions: Interaction = "customer";
            /// Its orders (订单).
            orders: Order = "customer";
            /// What is or was on its way to it (发货单).
            shipments: Shipment = "customer";
        }
    }

    /// A talk with a customer (沟通记录).
    Interaction(InteractionRow) = "interaction", interaction, interactions {
        one {
            /// The customer.
            customer: Customer = |row| Some(row.customer.to_string());
        }
    }
}
