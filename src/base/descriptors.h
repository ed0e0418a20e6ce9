/* base/descriptors.h - how many descriptors this process may have. */
#ifndef BASE_DESCRIPTORS_H
#define BASE_DESCRIPTORS_H

/* As many as the system lets us have, from now on; fewer will do, too. */
void descriptors_raise(void);

#endif
