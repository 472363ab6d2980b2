use super::*;

fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    let pair = |(name, value): &(&'static str, &'static str)| {
        (name.parse().unwrap(), HeaderValue::from_static(value))
    };
    pairs.iter().map(pair).collect()
}

#[test]
fn github_says_too_fast_in_several_ways() {
    let now = 1_000_000;
    let wait = |status, pairs: &[_], message| slow_down(status, &headers(pairs), message, now);
    let spent = ("x-ratelimit-remaining", "0");
    assert_eq!(
        wait(403, &[spent, ("x-ratelimit-reset", "1030")], None),
        Some(Some(Duration::from_secs(30)))
    );
    assert_eq!(
        wait(403, &[("retry-after", "5")], None),
        Some(Some(Duration::from_secs(5)))
    );
    let words = "You have exceeded a secondary rate limit";
    assert_eq!(wait(403, &[], Some(words)), Some(None));
    assert_eq!(wait(429, &[], None), Some(None));
    let refused = "Resource not accessible by integration";
    let left = ("x-ratelimit-remaining", "4000");
    assert_eq!(wait(403, &[left], Some(refused)), None);
}

#[test]
fn both_forges_tell_of_a_next_page() {
    let next = |pairs: &[_]| has_next_page(&headers(pairs));
    assert!(next(&[(
        "link",
        "<https://evil.example/x>; rel=\"next\", <y>; rel=\"last\""
    )]));
    assert!(!next(&[("link", "<y>; rel=\"prev\"")]));
    assert!(next(&[("x-next-page", "2")]));
    assert!(!next(&[("x-next-page", "")]));
    assert!(!next(&[]));
    let mark = |pairs: &[_]| next_mark(&headers(pairs));
    let links =
        "<https://api/x?per_page=100&after=b%3D>; rel=\"next\", <https://api/x>; rel=\"first\"";
    assert_eq!(mark(&[("link", links)]).as_deref(), Some("b="));
    assert_eq!(
        mark(&[("link", "<https://api/x?after=b>; rel=\"prev\"")]),
        None
    );
}
