#ifndef BG_KERNELS_H
#define BG_KERNELS_H
#endif
