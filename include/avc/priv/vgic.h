/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright 2026 the arm_vcpu authors */
/* No API: the layout of the vGIC's objects. */
#ifndef AVC_PRIV_VGIC_H
#define AVC_PRIV_VGIC_H

#include <avc/priv/lock.h>
#include <avc/vgic.h>

#define AVC_VGIC_NONE    0xffffu /* no vCPU */
#define AVC_VGIC_MAX_LRS 16

/* Neighbours in a queue, by INTID. */
struct avc_vgic_link {
    uint16_t next, prev;
};

/* 32 interrupts; bit n is INTID base + n. While an interrupt is in a list register (in_lr) its active and
   edge-pending state is there, and the bits here are what came in addition since. See src/emul/vgic/state.h. */
struct avc_vgic_bank {
    struct avc_vgic_cpu *owner;   /* of private interrupts; NULL: SPIs */
    uint32_t base;                /* first INTID */
    uint32_t valid;               /* bits that are interrupts */
    uint32_t enable, group, edge; /* as the guest wrote */
    uint32_t latch;               /* pending by an edge, or by a write to ISPENDR */
    uint32_t line;                /* level of the input */
    uint32_t active;
    uint32_t in_lr;
    uint32_t linked; /* timer PPIs whose physical interrupt is active and is the guest's to end */
    uint32_t moved;  /* of those in a list register: the latch went there */
    uint32_t queued;
    uint32_t drop_pending, drop_active; /* asked of one that is in a list register of another CPU */
    uint8_t priority[32];
    uint8_t at[32]; /* of one in a list register, its number; of a queued one, its queue */
    struct avc_vgic_link link[32];
};

/* 32 SPIs. */
struct avc_vgic_spis {
    struct avc_vgic_bank bank;
    uint64_t route[32];  /* GICD_IROUTER as written, with the bits that are RES0 */
    uint16_t target[32]; /* index of the vCPU it goes to, or AVC_VGIC_NONE: not known yet */
    uint16_t holder[32]; /* index of the vCPU that has it in a list register, in a queue or active, or AVC_VGIC_NONE */
};

/* What waits for a list register: of each group, and active; by priority. */
struct avc_vgic_queue {
    uint32_t level[3];      /* bit p: something of priority 8 * p is in it */
    uint16_t first[3 * 32]; /* INTIDs */
};

struct avc_vgic_op;
struct avc_vgic_work;
typedef void avc_vgic_step_fn(struct avc_vgic_op *op, struct avc_vgic_work *work);

/* What is left of a long operation that a guest's instruction has begun: see src/emul/vgic/deliver.h. */
struct avc_vgic_work {
    avc_vgic_step_fn *step; /* does some of it */
    struct avc_vgic_bank *bank;
    uint32_t *field; /* of the bank */
    uint64_t value;
    uint32_t left; /* 0: nothing; what it counts is the step's business */
};

/* One vCPU's redistributor and CPU interface. */
struct avc_vgic_cpu {
    struct avc_vgic *vgic;
    struct avc_vcpu *vcpu;     /* NULL until it is first loaded or reset */
    const struct avc_hal *hal; /* of the CPU where it is loaded */
    uint64_t typer;            /* GICR_TYPER */
    uint64_t name;             /* affinity of the vCPU, as SGIs name it */
    uint64_t alone;            /* what ICC_SGI1R_EL1 has for an SGI to it alone, but for the INTID */
    uint64_t on;               /* MPIDR_EL1 of the CPU where it is loaded */
    uint32_t lr_used;          /* bit n: list register n has an interrupt, lr[n] is what was written */
    uint32_t lr_look;          /* bit n: another CPU has changed something about the interrupt in it */
    uint32_t lr_pend;          /* bit n: an edge of it has come, on another CPU, and is in its latch */
    uint32_t lr_all;           /* those the CPU has */
    uint32_t masked;           /* timer PPIs masked at the physical controller */
    uint32_t mask_wanted;      /* ... and which are to be */
    uint32_t index;
    uint32_t waker;     /* GICR_WAKER */
    uint16_t next_near; /* next vCPU in the index by affinity, or AVC_VGIC_NONE */
    uint8_t nr_apr;     /* ICH_AP0R<n>_EL2 of the CPU where it is loaded */
    uint8_t pre_bits;
    uint8_t lr_next; /* list register that is to be given to another interrupt next, if it can be */
    bool tds;        /* ... and whether ICH_HCR_EL2.TDIR is there */
    bool loaded;
    bool spilled;        /* more interrupts than list registers */
    uint8_t fold_wanted; /* another CPU waits for this one to look at its list registers */
    uint8_t groups;      /* enables of groups 0 and 1 in ICH_VMCR_EL2, as last seen; meaningful if vgic->any */
    uint8_t takes;       /* ... of which it takes SPIs that any vCPU may take */
    bool told;           /* some operation is about to kick it; atomic */
    struct avc_vgic_cpu *next_told;
    struct avc_vgic_bank bank; /* SGIs and PPIs */
    struct avc_vgic_queue queue;
    uint64_t lr[AVC_VGIC_MAX_LRS]; /* list registers as last written */
    uint64_t hcr, vmcr;            /* ICH_HCR_EL2 as last written; ICH_VMCR_EL2 while not loaded */
    uint64_t ap0[4], ap1[4];       /* active priorities while not loaded */
    uint32_t high;                 /* timer PPIs whose line was high when another CPU last asked */
    uint64_t baseless;             /* avc_vgic_baseless() */
    uint64_t reading;              /* bank, and active or not, of a read that waits for other CPUs' list registers */
    struct avc_vgic_work work;     /* its guest goes on when nothing is left of it */
};

/* The interrupt controller of one VM. */
struct avc_vgic {
    struct avc_lock lock; /* first: LDAXR and STLR take no offset */
    uint32_t ctlr;        /* GICD_CTLR: EnableGrp0, EnableGrp1 */
    uint64_t magic;
    struct avc_vm *vm;
    struct avc_vgic_spis *spis;
    struct avc_vgic_cpu *cpus;
    avc_ipa_t dist_base, redist_base;
    uint32_t nr_banks; /* of SPIs */
    uint32_t max_vcpus;
    uint32_t nr_vcpus; /* once the VM is sealed */
    uint32_t nr_spis;
    uint32_t folds;          /* CPUs with fold_wanted */
    uint32_t rotor;          /* vCPU that got the last 1-of-N interrupt */
    uint32_t typer;          /* GICD_TYPER */
    uint32_t unsettled;      /* banks of SPIs, from the first on, in which some may have to go to another vCPU */
    uint32_t unsettled_bits; /* ... and these of the next bank have to: see avc_vgic_settle() */
    bool any;                /* an SPI was routed to any vCPU */
    bool routed;             /* targets follow from routes: vCPUs are known */
    uint16_t near[64];       /* vCPUs by a hash of their affinity: the first, or AVC_VGIC_NONE */
};

#endif
