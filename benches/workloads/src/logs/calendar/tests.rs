use super::Moment;

#[test]
fn known_days() {
    let cases = [
        (0, (1970, 1, 1), (0, 0, 0)),
        (951_782_399, (2000, 2, 28), (23, 59, 59)),
        (951_782_400, (2000, 2, 29), (0, 0, 0)),
        (951_868_800, (2000, 3, 1), (0, 0, 0)),
        (1_709_251_200, (2024, 3, 1), (0, 0, 0)),
        (4_107_542_399, (2100, 2, 28), (23, 59, 59)),
        (4_107_542_400, (2100, 3, 1), (0, 0, 0)),
    ];
    for (seconds, (year, month, day), (hour, minute, second)) in cases {
        let moment = Moment::from_seconds(seconds);
        assert_eq!(
            moment,
            Moment {
                year,
                month,
                day,
                hour,
                minute,
                second
            }
        );
    }
}
