//! The files whose code stays in memory until the process ends, and their unwind tables.

use core::{
    ffi::{c_int, c_void},
    ops::Range,
    ptr, slice,
};

use super::{MODULES, cfi::is_usable};

/// A file in memory: its code, and the read-only part that holds its tables.
#[derive(Debug, Clone)]
pub(super) struct Module<'a> {
    code: Range<usize>,
    image: &'a [u8],
    /// Where the table of tables is in the image.
    pub(super) header: usize,
}

impl<'a> Module<'a> {
    pub(super) fn holds(&self, pc: usize) -> bool {
        self.code.contains(&pc)
    }

    /// A number for a place in the code, unlike those of all other places.
    pub(super) fn tag(&self, module: usize, pc: usize) -> u32 {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "there are few modules, of less than 2^30 bytes"
        )]
        let (module, offset) = (module as u32, pc.wrapping_sub(self.code.start) as u32);
        module << 30 | offset
    }

    /// What the tables are read from.
    pub(super) const fn image(&self) -> &'a [u8] {
        self.image
    }

    /// The address of a place in the image.
    pub(super) fn address(&self, at: usize) -> usize {
        self.image.as_ptr().addr().wrapping_add(at)
    }

    /// The place of an address in the image.
    pub(super) fn place(&self, address: usize) -> Option<usize> {
        let at = address.checked_sub(self.image.as_ptr().addr())?;
        (at < self.image.len()).then_some(at)
    }

    /// The same with other bytes, from the table of tables on.
    #[cfg(test)]
    pub(super) fn with_tables<'b>(&self, image: &'b [u8]) -> Module<'b> {
        Module {
            code: self.code.clone(),
            image,
            header: 0,
        }
    }
}

/// What is asked of each file.
struct Search {
    /// Addresses of code of which it is known that it stays.
    permanent: [usize; MODULES],
    /// Where the headers of the program are. That it is the first file is so for its own libraries only, and
    /// not for those that are loaded apart from it (`dlmopen`).
    program: usize,
    found: [Option<Module<'static>>; MODULES],
}

/// The program, the file that this code is in and the C library, as far as they have tables.
pub(super) fn permanent() -> [Option<Module<'static>>; MODULES] {
    let own: fn() -> [Option<Module<'static>>; MODULES] = permanent;
    let of_libc: unsafe extern "C" fn() -> ! = libc::abort;
    // An address like the one above may be that of a stub in the program, but not one that is looked up by name. No
    // file's own name would prove anything: any may be called so, and be unloaded.
    // SAFETY: a text that ends with a zero, looked up among the files that the program began with first.
    let by_name = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"gnu_get_libc_version".as_ptr()) };
    // SAFETY: asks for a number that the system passed to the program.
    let program = unsafe { libc::getauxval(libc::AT_PHDR) };
    let mut search = Search {
        permanent: [own as usize, of_libc as usize, by_name.addr()],
        program: usize::try_from(program).unwrap_or(0),
        found: [const { None }; MODULES],
    };
    let data = ptr::from_mut(&mut search).cast();
    // SAFETY: the function gets what it expects: `search`, which nobody else uses meanwhile.
    unsafe { libc::dl_iterate_phdr(Some(look), data) };
    let mut found = search.found;
    found.sort_by_key(Option::is_none);
    found
}

/// Looks at one file.
///
/// # Safety
///
/// To be called by `dl_iterate_phdr`, with a `Search` that is borrowed exclusively.
unsafe extern "C" fn look(
    info: *mut libc::dl_phdr_info,
    _size: libc::size_t,
    data: *mut c_void,
) -> c_int {
    // SAFETY:
    // - valid: the caller's promise;
    // - exclusive: likewise.
    let search = unsafe { &mut *data.cast::<Search>() };
    // SAFETY:
    // - valid: the loader describes a file that is loaded, for as long as the call lasts;
    // - shared: only read.
    let info = unsafe { &*info };
    let base = usize::try_from(info.dlpi_addr).unwrap_or(0);
    if info.dlpi_phdr.is_null() {
        return 0;
    }
    // SAFETY:
    // - valid: the loader says that there are so many headers at this address;
    // - shared: nobody writes them.
    let headers = unsafe { slice::from_raw_parts(info.dlpi_phdr, info.dlpi_phnum.into()) };
    let Some((code, image, header)) = extents(base, headers) else {
        return 0;
    };
    let is_program = info.dlpi_phdr.addr() == search.program;
    let is_permanent = is_program || search.permanent.iter().any(|place| code.contains(place));
    let free = search.found.iter_mut().find(|found| found.is_none());
    if let (true, Some(free)) = (is_permanent, free) {
        let start: *const u8 = ptr::with_exposed_provenance(image.start);
        // SAFETY:
        // - valid: the loader mapped this part of the file for reading, and keeps it: see the head of
        //   `walk`;
        // - shared: it is not mapped for writing.
        let bytes = unsafe { slice::from_raw_parts(start, image.len()) };
        let module = Module {
            header: header - image.start,
            code,
            image: bytes,
        };
        *free = is_usable(&module).then_some(module);
    }
    0
}

/// Where a file's code is, the read-only part with its unwind tables, and the table of tables.
fn extents(
    base: usize,
    headers: &[libc::Elf64_Phdr],
) -> Option<(Range<usize>, Range<usize>, usize)> {
    let range = |header: &libc::Elf64_Phdr| {
        let start = base.wrapping_add(usize::try_from(header.p_vaddr).ok()?);
        Some(start..start.checked_add(usize::try_from(header.p_filesz).ok()?)?)
    };
    let loaded = |header: &&libc::Elf64_Phdr| header.p_type == libc::PT_LOAD;
    let code = headers
        .iter()
        .filter(loaded)
        .filter(|header| header.p_flags & libc::PF_X != 0)
        .filter_map(range)
        .reduce(|all, one| all.start.min(one.start)..all.end.max(one.end))?;
    let is_table = |header: &&libc::Elf64_Phdr| header.p_type == libc::PT_GNU_EH_FRAME;
    let table = range(headers.iter().find(is_table)?)?;
    let image = headers
        .iter()
        .filter(loaded)
        .filter(|header| header.p_flags & (libc::PF_R | libc::PF_W) == libc::PF_R)
        .filter_map(range)
        .find(|image| image.start <= table.start && table.end <= image.end)?;
    (image.start != 0 && code.len() < 1 << 30).then_some((code, image, table.start))
}
