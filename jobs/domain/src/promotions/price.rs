//! The price of a play.

/// 100 %.
pub const BASIS_POINTS: i32 = 10_000;

/// `price - floor(price * basis_points / 10000)`: what is left to pay after the one best discount. `price` in coins,
/// not negative; a discount outside 0..=10000 counts as its nearest end.
#[must_use]
pub fn final_price(price: i64, discount_bp: i32) -> i64 {
    let basis_points = i128::from(discount_bp.clamp(0, BASIS_POINTS));
    let discount = i128::from(price.max(0)) * basis_points / i128::from(BASIS_POINTS);
    // The discount is at most the price, which is an i64.
    price.max(0) - i64::try_from(discount).unwrap_or(price.max(0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn half_price_of_an_odd_number_rounds_up() {
        assert_eq!(final_price(101, 5_000), 51);
        assert_eq!(final_price(100, 5_000), 50);
        assert_eq!(final_price(1, 9_999), 1);
    }

    proptest! {
        #[test]
        fn a_discount_never_costs_and_never_pays(price in 0..=i64::MAX, bp in 0..=BASIS_POINTS) {
            let left = final_price(price, bp);
            prop_assert!((0..=price).contains(&left));
            prop_assert_eq!(final_price(price, 0), price);
            prop_assert_eq!(final_price(price, BASIS_POINTS), 0);
        }

        #[test]
        fn a_larger_discount_is_never_dearer(price in 0..=i64::MAX, bp in 0..BASIS_POINTS) {
            prop_assert!(final_price(price, bp + 1) <= final_price(price, bp));
        }
    }
}
