#include "bollygan_proto.h"
