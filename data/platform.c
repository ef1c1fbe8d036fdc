/* platform.c - the one file that steps outside C99: folders, flushing to the disk, the terminal, the clock.
 *
 * Three variants of the same functions: POSIX, Windows, and (-DFER_PURE_C99) C99 alone, which can do the least. */
#if defined FER_PURE_C99
/* nothing to ask for */
#elif defined _WIN32
#define WIN32_LEAN_AND_MEAN
#else
#define _POSIX_C_SOURCE 200809L
#define _DARWIN_C_SOURCE /* macOS hides the terminal's size without it */
#endif

#include "data.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined FER_PURE_C99
#include <time.h>
#elif defined _WIN32
#include <direct.h>
#include <io.h>
#include <windows.h>
#else
#include <dirent.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#endif

#ifdef _OPENMP
#include <omp.h>
#endif

int fer_threads(void)
{
#ifdef _OPENMP
    return omp_get_max_threads();
#else
    return 1;
#endif
}

#if defined _OPENMP && defined __linux__ && !defined FER_PURE_C99
/* The name behind a path's last slash. */
static const char *last_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}
#endif

/* Threads that wait for work shall sleep, not spin: on a busy machine spinning ones take the time of those that work.
 * (But for a moment: 10,000 looks. To sleep at once takes a fifth longer at small sizes, with nobody else there.) GNU's
 * OpenMP reads this from the environment before main begins (and glibc undoes what a function of .preinit_array has set
 * there), so the program begins anew, once, with it set. Where that fails it goes on and spins; so it does where the
 * running file has another name than the program, as one has that a loader or an emulator runs: these would take the
 * arguments for their own. */
void fer_wait_passively(char **argv)
{
#if defined _OPENMP && defined __linux__ && !defined FER_PURE_C99
    char path[FER_PATH];
    const ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    if (getenv("OMP_WAIT_POLICY") || getenv("GOMP_SPINCOUNT") || !argv[0] || length < 0) return;
    path[length] = 0;
    if (strcmp(last_name(path), last_name(argv[0])) != 0) return;
    if (setenv("OMP_WAIT_POLICY", "passive", 1) || setenv("GOMP_SPINCOUNT", "10000", 1)) return;
    execv(path, argv);
#endif
    (void)argv;
}

#if defined FER_PURE_C99 /* ---- C99 ---- */

int fer_is_folder(const char *path)
{
    (void)path;
    return 0;
}

int fer_is_file(const char *path)
{
    (void)path;
    return 1; /* opening it will tell */
}

int fer_is_device(const char *path)
{
    (void)path;
    return 0;
}

int fer_is_same_file(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

/* C99 has no folders, but a file that can be written there shows that one is there. */
int fer_make_folder(const char *path, struct fer_error *e)
{
    char probe[FER_PATH];
    FILE *file;
    if (fer_join_path(probe, path, "probe.part", e)) return -1;
    file = fopen(probe, "wb");
    if (!file)
        return fer_fail(e, "%s: cannot be written to, and this build (FER_PURE_C99) cannot make folders: make it first",
                        path);
    fclose(file);
    remove(probe);
    return 0;
}

void fer_remove_folder(const char *path)
{
    (void)path;
}

int fer_list_folder(const char *path, int (*each)(void *context, const char *name, struct fer_error *e), void *context,
                    struct fer_error *e)
{
    (void)each;
    (void)context;
    return fer_fail(e, "%s: this build (FER_PURE_C99) cannot list folders", path);
}

int fer_flush_to_disk(FILE *file)
{
    return fflush(file);
}

int fer_replace_file(const char *from, const char *to)
{
    if (rename(from, to) == 0) return 0;
    remove(to); /* some systems rename only to a free name */
    return rename(from, to);
}

int fer_lock_take(intptr_t *lock, const char *path, long *holder)
{
    (void)lock, (void)path, (void)holder;
    return 0;
}

void fer_lock_give(intptr_t lock, const char *path)
{
    (void)lock, (void)path;
}

int fer_is_terminal(void *file)
{
    (void)file;
    return 0;
}

int fer_terminal_width(void)
{
    return 80;
}

double fer_clock(void)
{
    return (double)time(NULL);
}

size_t fer_memory_available(void)
{
    return 0;
}

#else /* ---- POSIX and Windows ---- */

/* The names of a folder's entries. */
struct names {
    char **name;
    size_t count, room;
};

static int add_name(struct names *names, const char *name, struct fer_error *e)
{
    char **more, *copy;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) return 0;
    more = fer_grow(names->name, &names->room, names->count + 1, sizeof *more);
    if (!more) return fer_fail(e, "out of memory: a folder has more than %lu entries", (unsigned long)names->count);
    names->name = more;
    if (!(copy = fer_copy_text(name, strlen(name), ""))) return fer_fail(e, "out of memory for the name of a file");
    names->name[names->count++] = copy;
    return 0;
}

static int read_names(struct names *names, const char *path, struct fer_error *e);

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int fer_list_folder(const char *path, int (*each)(void *context, const char *name, struct fer_error *e), void *context,
                    struct fer_error *e)
{
    struct names names = {NULL, 0, 0};
    int result = read_names(&names, path, e);
    size_t i;
    if (names.count) qsort(names.name, names.count, sizeof *names.name, compare_names);
    for (i = 0; i < names.count && result == 0; i++) result = each(context, names.name[i], e);
    for (i = 0; i < names.count; i++) free(names.name[i]);
    free(names.name);
    return result;
}

#if defined _WIN32 /* ---- Windows ---- */

int fer_is_folder(const char *path)
{
    const DWORD kind = GetFileAttributesA(path);
    return kind != INVALID_FILE_ATTRIBUTES && (kind & FILE_ATTRIBUTE_DIRECTORY);
}

int fer_is_file(const char *path)
{
    const DWORD kind = GetFileAttributesA(path);
    return kind != INVALID_FILE_ATTRIBUTES && !(kind & (FILE_ATTRIBUTE_DIRECTORY | FILE_ATTRIBUTE_DEVICE));
}

int fer_is_device(const char *path)
{
    const DWORD kind = GetFileAttributesA(path);
    return kind != INVALID_FILE_ATTRIBUTES && (kind & FILE_ATTRIBUTE_DEVICE);
}

/* What the file system knows of a file or folder. Returns whether it is there. */
static int look_at(const char *path, BY_HANDLE_FILE_INFORMATION *about)
{
    const HANDLE file = CreateFileA(path, 0, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                                    OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL);
    int known;
    if (file == INVALID_HANDLE_VALUE) return 0;
    known = GetFileInformationByHandle(file, about) != 0;
    CloseHandle(file);
    return known;
}

int fer_is_same_file(const char *a, const char *b)
{
    BY_HANDLE_FILE_INFORMATION of_a, of_b;
    return look_at(a, &of_a) && look_at(b, &of_b) && of_a.dwVolumeSerialNumber == of_b.dwVolumeSerialNumber &&
           of_a.nFileIndexHigh == of_b.nFileIndexHigh && of_a.nFileIndexLow == of_b.nFileIndexLow;
}

int fer_make_folder(const char *path, struct fer_error *e)
{
    if (_mkdir(path) == 0 || (errno == EEXIST && fer_is_folder(path))) return 0;
    return fer_fail(e, "%s: the folder cannot be made: %s", path, strerror(errno));
}

void fer_remove_folder(const char *path)
{
    _rmdir(path);
}

static int read_names(struct names *names, const char *path, struct fer_error *e)
{
    char pattern[MAX_PATH + 2];
    WIN32_FIND_DATAA entry;
    HANDLE find;
    int result = 0;
    if (strlen(path) > MAX_PATH - 2) return fer_fail(e, "%s: the path is too long", path);
    snprintf(pattern, sizeof pattern, "%s\\*", path);
    if ((find = FindFirstFileA(pattern, &entry)) == INVALID_HANDLE_VALUE)
        return fer_fail(e, "%s: the folder cannot be listed (Windows error %lu)", path, GetLastError());
    do result = add_name(names, entry.cFileName, e);
    while (result == 0 && FindNextFileA(find, &entry));
    if (result == 0 && GetLastError() != ERROR_NO_MORE_FILES)
        result = fer_fail(e, "%s: the folder cannot be listed (Windows error %lu)", path, GetLastError());
    FindClose(find);
    return result;
}

int fer_flush_to_disk(FILE *file)
{
    return fflush(file) == 0 && _commit(_fileno(file)) == 0 ? 0 : -1;
}

int fer_replace_file(const char *from, const char *to)
{
    return MoveFileExA(from, to, MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH) ? 0 : -1;
}

/* Windows closes, and so deletes, the file of a program that was killed. */
int fer_lock_take(intptr_t *lock, const char *path, long *holder)
{
    const HANDLE file = CreateFileA(path, GENERIC_WRITE, 0, NULL, OPEN_ALWAYS, FILE_FLAG_DELETE_ON_CLOSE, NULL);
    *holder = 0;
    if (file == INVALID_HANDLE_VALUE) return GetLastError() == ERROR_SHARING_VIOLATION ? 1 : (errno = EACCES, -1);
    *lock = (intptr_t)file;
    return 0;
}

void fer_lock_give(intptr_t lock, const char *path)
{
    (void)path;
    CloseHandle((HANDLE)lock);
}

int fer_is_terminal(void *file)
{
    return _isatty(_fileno(file)) != 0;
}

int fer_terminal_width(void)
{
    CONSOLE_SCREEN_BUFFER_INFO screen;
    if (!GetConsoleScreenBufferInfo(GetStdHandle(STD_OUTPUT_HANDLE), &screen)) return 80;
    return screen.srWindow.Right - screen.srWindow.Left + 1;
}

double fer_clock(void)
{
    LARGE_INTEGER ticks, per_second;
    QueryPerformanceCounter(&ticks);
    QueryPerformanceFrequency(&per_second);
    return (double)ticks.QuadPart / (double)per_second.QuadPart;
}

size_t fer_memory_available(void)
{
    MEMORYSTATUSEX status;
    status.dwLength = sizeof status;
    if (!GlobalMemoryStatusEx(&status)) return 0;
    return status.ullAvailPhys < (size_t)-1 ? (size_t)status.ullAvailPhys : (size_t)-1;
}

#else /* ---- POSIX ---- */

int fer_is_folder(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

int fer_is_file(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

int fer_is_device(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode);
}

int fer_is_same_file(const char *a, const char *b)
{
    struct stat of_a, of_b;
    return stat(a, &of_a) == 0 && stat(b, &of_b) == 0 && of_a.st_dev == of_b.st_dev && of_a.st_ino == of_b.st_ino;
}

int fer_make_folder(const char *path, struct fer_error *e)
{
    if (mkdir(path, 0777) == 0) return 0;
    if (errno == EEXIST && fer_is_folder(path)) return 0;
    return fer_fail(e, "%s: the folder cannot be made: %s", path, strerror(errno));
}

void fer_remove_folder(const char *path)
{
    rmdir(path);
}

static int read_names(struct names *names, const char *path, struct fer_error *e)
{
    DIR *folder = opendir(path);
    struct dirent *entry;
    int result = 0;
    if (!folder) return fer_fail(e, "%s: the folder cannot be opened: %s", path, strerror(errno));
    for (errno = 0; result == 0 && (entry = readdir(folder)); errno = 0) result = add_name(names, entry->d_name, e);
    if (result == 0 && errno) result = fer_fail(e, "%s: the folder cannot be listed: %s", path, strerror(errno));
    closedir(folder);
    return result;
}

int fer_flush_to_disk(FILE *file)
{
    if (fflush(file)) return -1;
    /* A pipe or a terminal cannot be flushed to a disk, and need not be. */
    return fsync(fileno(file)) == 0 || errno == EINVAL || errno == ENOTSUP || errno == EROFS ? 0 : -1;
}

/* A name is on the disk when its folder is. Best effort: the file's content is safe without it. */
static void flush_folder_of(const char *path)
{
    char folder[FER_PATH];
    const char *slash = strrchr(path, '/');
    const size_t length = slash ? (size_t)(slash - path) + 1 : 0;
    int descriptor;
    if (length >= sizeof folder) return;
    memcpy(folder, path, length);
    folder[length] = 0;
    descriptor = open(length ? folder : ".", O_RDONLY);
    if (descriptor < 0) return;
    fsync(descriptor);
    close(descriptor);
}

int fer_replace_file(const char *from, const char *to)
{
    if (fer_is_device(to)) return errno = EEXIST, -1; /* root would replace /dev/null by a file */
    if (rename(from, to)) return -1;
    flush_folder_of(to);
    return 0;
}

static int is_open_at(int file, const char *path)
{
    struct stat here, there;
    return fstat(file, &here) == 0 && stat(path, &there) == 0 && here.st_dev == there.st_dev &&
           here.st_ino == there.st_ino;
}

/* The system takes the lock from a program that ends, however it ends. One that ends well removes the file first:
 * whoever has opened it before finds that it has locked a file without a name, and begins again. A file system without
 * locks (some network drives) is no reason not to train. */
int fer_lock_take(intptr_t *lock, const char *path, long *holder)
{
    for (;;) {
        struct flock whole = {0};
        const int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
        int taken;
        if (file < 0) return -1;
        whole.l_type = F_WRLCK;
        whole.l_whence = SEEK_SET;
        taken = fcntl(file, F_SETLK, &whole) == 0 || (errno != EAGAIN && errno != EACCES);
        *lock = file;
        if (taken && is_open_at(file, path)) return 0;
        *holder = !taken && fcntl(file, F_GETLK, &whole) == 0 && whole.l_type != F_UNLCK ? (long)whole.l_pid : 0;
        close(file);
        if (!taken) return 1;
    }
}

void fer_lock_give(intptr_t lock, const char *path)
{
    remove(path);
    close((int)lock);
}

int fer_is_terminal(void *file)
{
    return isatty(fileno(file)) != 0;
}

int fer_terminal_width(void)
{
#ifdef TIOCGWINSZ
    struct winsize window;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 0) return window.ws_col;
#endif
    return 80;
}

double fer_clock(void)
{
    struct timespec now;
    if (clock_gettime(CLOCK_MONOTONIC, &now)) return 0;
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* The number behind `key` in a file of the system, times `unit`; 0 when there is none. */
static double system_figure(const char *path, const char *key, double unit)
{
    FILE *file = fopen(path, "r");
    char line[256];
    double value = 0;
    while (file && value == 0 && fgets(line, sizeof line, file))
        if (strncmp(line, key, strlen(key)) == 0) value = strtod(line + strlen(key), NULL) * unit;
    if (file) fclose(file);
    return value;
}

static void lower(double *least, double figure)
{
    if (figure > 0 && (*least == 0 || figure < *least)) *least = figure;
}

/* What the system calls available, and what the container and the process may have. */
size_t fer_memory_available(void)
{
    struct rlimit limit;
    double least = 0;
    lower(&least, system_figure("/proc/meminfo", "MemAvailable:", 1024));
    lower(&least, system_figure("/sys/fs/cgroup/memory.max", "", 1)); /* "max": no number, no limit */
    if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) lower(&least, (double)limit.rlim_cur);
#ifdef _SC_PHYS_PAGES
    if (least == 0) least = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
#endif
    return least < (double)((size_t)-1 / 2) ? (size_t)least : (size_t)-1;
}

#endif
#endif
