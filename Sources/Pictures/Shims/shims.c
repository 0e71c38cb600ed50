#include "bg_pictures.h"
