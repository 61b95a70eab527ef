#include "base/memory.h"

static _Thread_local bool lacked;

bool memory_lacked(void)
{
    return lacked;
}

void memory_forget_lack(void)
{
    lacked = false;
}

bool memory_note_lack(void)
{
    lacked = true;
    return false;
}
