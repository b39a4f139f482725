/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Handlers of the registers in gicreg.def. `self` is the vCPU that accesses one; b is the bank of the register's interrupts, or,
 * for a register that is not by interrupt, the private one of the redistributor's vCPU (NULL in the distributor); offset
 * is in the frame, and what the table says about width and alignment holds.
 */
#ifndef AVC_VGIC_REG_H
#define AVC_VGIC_REG_H

#include "emul/vgic/state.h"

/* Of a read: the guest is to do the instruction again, with interrupts on in between. No register reads so. */
#define AVC_VGIC_RETRY (~UINT64_C(0))

typedef uint64_t avc_vgic_read_fn(struct avc_vgic_cpu *self, struct avc_vgic_bank *b, uint32_t offset, unsigned size);
typedef void avc_vgic_write_fn(struct avc_vgic_cpu *self, struct avc_vgic_bank *b, uint32_t offset, unsigned size,
                               uint64_t value);

#define RO(handler)                                                        avc_vgic_read_fn avc_vgic_read_##handler;
#define WO(handler)                                                        avc_vgic_write_fn avc_vgic_write_##handler;
#define RW(handler)                                                        RO(handler) WO(handler)
#define GIC_REG(frame, name, offset, bytes, bits, widths, access, handler) access(handler)
#include "emul/vgic/gicreg.def"
#undef GIC_REG
#undef RW
#undef WO
#undef RO

#endif
