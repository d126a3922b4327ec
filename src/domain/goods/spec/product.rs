use daybook_schema::{
    Event,
    goods::{
        ChangeProductDetails, LocalizedName, ProductDetails, ProductEvent, ReinstateProduct,
        RetireProduct,
    },
};

use crate::spec::{
    shop::{TEA, draft, list_product, place, product_details, receive, set_price, shop},
    t,
};

fn retire() -> RetireProduct {
    RetireProduct {
        product: TEA,
        because: t("no longer grown"),
    }
}

fn change(details: ProductDetails) -> ChangeProductDetails {
    ChangeProductDetails {
        product: TEA,
        details,
    }
}

#[test]
fn a_product_is_listed_under_its_sku() {
    shop()
        .when(list_product("POT-1", "Teapot"))
        .then_types(&["NaturalKeyReserved", "ProductListed"]);
}

#[test]
fn a_sku_is_unique_whatever_its_case() {
    shop()
        .when(list_product("tea-1", "Another tea"))
        .then_refused("NATURAL_KEY_TAKEN");
}

#[test]
fn a_retired_product_keeps_its_sku_because_past_orders_cite_it() {
    shop()
        .done(41, retire())
        .when(list_product("TEA-1", "Another tea"))
        .then_refused("NATURAL_KEY_TAKEN");
}

#[test]
fn changed_details_replace_the_earlier_whole() {
    let details = ProductDetails {
        category: Some(t("Dairy Products")),
        ..product_details("Green tea")
    };
    shop()
        .when(change(details.clone()))
        .then(&[(&TEA, ProductEvent::ProductDetailsChanged { details }.into())]);
}

#[test]
fn a_change_that_changes_nothing_is_refused() {
    shop()
        .when(change(product_details("Green tea")))
        .then_refused("NOTHING_TO_CHANGE");
}

#[test]
fn a_product_has_one_name_per_language() {
    let name = |name: &str| LocalizedName {
        language: t("zh-CN"),
        name: t(name),
        description: None,
    };
    let details = ProductDetails {
        names: vec![name("绿茶"), name("龙井")],
        ..product_details("Green tea")
    };
    let refusal = shop()
        .when(change(details))
        .then_refused("LANGUAGE_STANDS_TWICE");
    assert_eq!(refusal.field, ["details", "names"]);
}

#[test]
fn a_product_is_counted_in_pieces_where_no_unit_is_given() {
    let data = br#"{"sku":"POT-1","details":{"name":"Teapot"}}"#;
    let listed = ProductEvent::decode("ProductListed", data);
    let expected = ProductEvent::ProductListed {
        sku: t("POT-1"),
        details: product_details("Teapot"),
    };
    assert_eq!(listed.ok(), Some(expected));
}

#[test]
fn a_retired_product_is_neither_changed_nor_ordered_nor_priced() {
    let retired = || shop().done(41, retire());
    retired()
        .when(change(product_details("Black tea")))
        .then_refused("PRODUCT_RETIRED");
    retired()
        .when(place(vec![draft(TEA, "1")]))
        .then_refused("PRODUCT_RETIRED");
    retired()
        .when(set_price(&[("1", "9")]))
        .then_refused("PRODUCT_RETIRED");
    retired().when(retire()).then_refused("PRODUCT_RETIRED");
}

#[test]
fn the_stock_of_a_retired_product_still_moves() {
    shop()
        .done(41, retire())
        .when(receive(TEA, "3", "1"))
        .then_types(&["StockReceived"]);
}

#[test]
fn a_reinstated_product_is_on_sale_again() {
    let reinstate = ReinstateProduct { product: TEA };
    shop()
        .when(reinstate.clone())
        .then_refused("PRODUCT_ON_SALE");
    shop()
        .done(41, retire())
        .done(42, reinstate)
        .when(place(vec![draft(TEA, "1")]))
        .then_types(&["DocumentNumberIssued", "OrderPlaced"]);
}

#[test]
fn a_product_that_is_not_listed_cannot_be_retired() {
    let retire = RetireProduct {
        product: crate::spec::uuid(5).into(),
        ..retire()
    };
    shop().when(retire).then_refused("NOT_FOUND");
}
