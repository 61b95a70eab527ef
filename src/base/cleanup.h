/* Scope-bound release of what a function owns: `cleanup(buf_finish) struct buf out = BUF_INIT;` */
#ifndef UNDERSTUDY_BASE_CLEANUP_H
#define UNDERSTUDY_BASE_CLEANUP_H

#define cleanup(function_) __attribute__((cleanup(function_)))

#endif
