/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/*
 * Handlers of the registers in gicreg.def. `self` is the vCPU that accesses one. b is the bank of the register's
 * interrupts. For a register without a field for each interrupt it is the private bank of the redistributor's vCPU
 * (NULL in the distributor). offset is the offset in the frame. Width and alignment are as the table says.
 */
#ifndef AVC_VGIC_REG_H
#define AVC_VGIC_REG_H

#include "core/exit/complete.h"
#include "emul/vgic/state.h"

/* A read returns this if the guest must do the instruction again, with interrupts unmasked in between. No register
   reads so. */
#define AVC_VGIC_RETRY (~UINT64_C(0))

/* A write, a read, and a load that was trapped just now. The last one completes the instruction, and a write is always
   RESUME: so both can be the last call of a trap. */
typedef enum avc_result avc_vgic_write_fn(struct avc_vgic_cpu *self, struct avc_vgic_bank *b, uint32_t offset,
                                          unsigned size, uint64_t value);
/* A read returns no more bits than the access has. */
typedef uint64_t avc_vgic_read_fn(struct avc_vgic_cpu *self, struct avc_vgic_bank *b, uint32_t offset, unsigned size);
typedef enum avc_result avc_vgic_load_fn(struct avc_vcpu *vcpu, uint64_t esr, struct avc_vgic_bank *b, uint32_t offset);

/* Begins the definition of a name's two functions of reads. The body that follows is that of the first. */
#define AVC_VGIC_READ(name)                                                                                            \
    static inline uint64_t read_##name(struct avc_vgic_cpu *, struct avc_vgic_bank *, uint32_t, unsigned);             \
    uint64_t avc_vgic_read_##name(struct avc_vgic_cpu *self, struct avc_vgic_bank *b, uint32_t offset, unsigned size)  \
    {                                                                                                                  \
        return read_##name(self, b, offset, size);                                                                     \
    }                                                                                                                  \
    enum avc_result avc_vgic_load_##name(struct avc_vcpu *vcpu, uint64_t esr, struct avc_vgic_bank *b,                 \
                                         uint32_t offset)                                                              \
    {                                                                                                                  \
        uint64_t value = read_##name(avc_vgic_cpu_of(vcpu), b, offset, 1u << ISS_SAS(esr));                            \
                                                                                                                       \
        return avc_complete_load_of(vcpu, esr, value);                                                                 \
    }                                                                                                                  \
    static inline uint64_t read_##name(struct avc_vgic_cpu *self, struct avc_vgic_bank *b, uint32_t offset,            \
                                       unsigned size)

avc_vgic_read_fn avc_vgic_read_zero, avc_vgic_read_ctlr, avc_vgic_read_typer, avc_vgic_read_iidr, avc_vgic_read_pidr2,
    avc_vgic_read_cidr, avc_vgic_read_route, avc_vgic_read_redist_ctlr, avc_vgic_read_redist_typer, avc_vgic_read_waker,
    avc_vgic_read_group, avc_vgic_read_enable, avc_vgic_read_pending, avc_vgic_read_active, avc_vgic_read_priority,
    avc_vgic_read_config;
avc_vgic_load_fn avc_vgic_load_zero, avc_vgic_load_ctlr, avc_vgic_load_typer, avc_vgic_load_iidr, avc_vgic_load_pidr2,
    avc_vgic_load_cidr, avc_vgic_load_route, avc_vgic_load_redist_ctlr, avc_vgic_load_redist_typer, avc_vgic_load_waker,
    avc_vgic_load_group, avc_vgic_load_enable, avc_vgic_load_pending, avc_vgic_load_active, avc_vgic_load_priority,
    avc_vgic_load_config;
avc_vgic_write_fn avc_vgic_write_ignored, avc_vgic_write_ctlr, avc_vgic_write_route, avc_vgic_write_waker,
    avc_vgic_write_group, avc_vgic_write_isenable, avc_vgic_write_icenable, avc_vgic_write_ispend,
    avc_vgic_write_icpend, avc_vgic_write_isactive, avc_vgic_write_icactive, avc_vgic_write_priority,
    avc_vgic_write_config;

#endif
