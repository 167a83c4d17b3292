//! The example of the workspace's README: what two ways of writing the same cost.

#[global_allocator]
static ALLOC: thrifty_memstats::Alloc = thrifty_memstats::Alloc::system();

fn main() -> Result<(), thrifty_memstats::NotInstalled> {
    let lines = ["GET /index.html 200", "GET /missing 404", "POST /login 302"];

    // As people write it: a String per field.
    let (statuses, naive) = thrifty_memstats::measure(|| {
        lines
            .iter()
            .map(|line| line.split(' ').map(String::from).collect::<Vec<_>>())
            .map(|fields| fields[2].clone())
            .collect::<Vec<_>>()
    });

    // The same answer from borrowed fields, into a vector of the right size.
    let (borrowed, thrifty) = thrifty_memstats::measure(|| {
        let mut statuses = Vec::with_capacity(lines.len());
        statuses.extend(lines.iter().filter_map(|line| line.split(' ').nth(2)));
        statuses
    });

    assert_eq!(statuses, borrowed);
    println!("naive:   {}", naive?);
    println!("thrifty: {}", thrifty?);

    // And a test that keeps it so.
    thrifty_memstats::assert_allocs!(<= 0, {
        lines.iter().filter_map(|line| line.split(' ').nth(2)).map(str::len).sum::<usize>()
    });
    Ok(())
}
