/** The number of a system call in the kernel's table for each processor; not there: it has none. */
export interface Numbers {
  readonly x64?: number
  readonly arm64?: number
}

/**
 * System calls that no program in a cell may make, whatever it asks of them, under a few words for
 * people, without a comma.
 */
export const REFUSED_CALLS: Readonly<Record<string, Readonly<Record<string, Numbers>>>> = {
  'ptrace and its like': {
    ptrace: { x64: 101, arm64: 117 },
    process_vm_readv: { x64: 310, arm64: 270 },
    process_vm_writev: { x64: 311, arm64: 271 },
    process_madvise: both(440),
    kcmp: { x64: 312, arm64: 272 },
    pidfd_getfd: both(438),
  },
  mounting: {
    mount: { x64: 165, arm64: 40 },
    umount2: { x64: 166, arm64: 39 },
    pivot_root: { x64: 155, arm64: 41 },
    chroot: { x64: 161, arm64: 51 },
    open_tree: both(428),
    move_mount: both(429),
    fsopen: both(430),
    fsconfig: both(431),
    fsmount: both(432),
    fspick: both(433),
    mount_setattr: both(442),
    open_tree_attr: both(467),
  },
  'entering namespaces': {
    setns: { x64: 308, arm64: 268 },
  },
  'files by handle': {
    name_to_handle_at: { x64: 303, arm64: 264 },
    open_by_handle_at: { x64: 304, arm64: 265 },
  },
  'kernel keyrings': {
    add_key: { x64: 248, arm64: 217 },
    request_key: { x64: 249, arm64: 218 },
    keyctl: { x64: 250, arm64: 219 },
  },
  io_uring: {
    io_uring_setup: both(425),
    io_uring_enter: both(426),
    io_uring_register: both(427),
  },
  'bpf and performance counters': {
    bpf: { x64: 321, arm64: 280 },
    perf_event_open: { x64: 298, arm64: 241 },
    lookup_dcookie: { x64: 212, arm64: 18 },
  },
  'userfaultfd and secret memory': {
    userfaultfd: { x64: 323, arm64: 282 },
    memfd_secret: both(447),
  },
  'memory policies': {
    mbind: { x64: 237, arm64: 235 },
    set_mempolicy: { x64: 238, arm64: 237 },
    get_mempolicy: { x64: 239, arm64: 236 },
    migrate_pages: { x64: 256, arm64: 238 },
    move_pages: { x64: 279, arm64: 239 },
    set_mempolicy_home_node: both(450),
  },
  'kernel modules and kexec': {
    create_module: { x64: 174 },
    init_module: { x64: 175, arm64: 105 },
    delete_module: { x64: 176, arm64: 106 },
    get_kernel_syms: { x64: 177 },
    query_module: { x64: 178 },
    finit_module: { x64: 313, arm64: 273 },
    kexec_load: { x64: 246, arm64: 104 },
    kexec_file_load: { x64: 320, arm64: 294 },
  },
  'setting clock and host name': {
    adjtimex: { x64: 159, arm64: 171 },
    settimeofday: { x64: 164, arm64: 170 },
    clock_settime: { x64: 227, arm64: 112 },
    clock_adjtime: { x64: 305, arm64: 266 },
    sethostname: { x64: 170, arm64: 161 },
    setdomainname: { x64: 171, arm64: 162 },
  },
  'reboot and swap': {
    reboot: { x64: 169, arm64: 142 },
    swapon: { x64: 167, arm64: 224 },
    swapoff: { x64: 168, arm64: 225 },
  },
  'accounting and quotas': {
    acct: { x64: 163, arm64: 89 },
    quotactl: { x64: 179, arm64: 60 },
    quotactl_fd: both(443),
  },
  'kernel log and consoles': {
    syslog: { x64: 103, arm64: 116 },
    vhangup: { x64: 153, arm64: 58 },
  },
  fanotify: {
    fanotify_init: { x64: 300, arm64: 262 },
    fanotify_mark: { x64: 301, arm64: 263 },
  },
  'processor ports and segments': {
    modify_ldt: { x64: 154 },
    iopl: { x64: 172 },
    ioperm: { x64: 173 },
  },
  'obsolete calls': {
    uselib: { x64: 134 },
    ustat: { x64: 136 },
    sysfs: { x64: 139 },
    _sysctl: { x64: 156 },
    nfsservctl: { x64: 180, arm64: 42 },
    getpmsg: { x64: 181 },
    putpmsg: { x64: 182 },
    afs_syscall: { x64: 183 },
    tuxcall: { x64: 184 },
    security: { x64: 185 },
    epoll_ctl_old: { x64: 214 },
    epoll_wait_old: { x64: 215 },
    vserver: { x64: 236 },
  },
}

/** Since 2019 a new system call has one number everywhere. */
function both(number: number): Numbers {
  return { x64: number, arm64: number }
}
