/** How Nuxt UI's components take our sizes: 28 and 32 high controls, 6 and 10 round. */
export const theme = {
  button: {
    slots: { base: 'cursor-pointer whitespace-nowrap' },
    variants: {
      size: {
        sm: { base: 'px-2.5 py-[5px] text-xs gap-1.5', leadingIcon: 'size-3.5', trailingIcon: 'size-3.5' },
        md: { base: 'px-3 py-1.5 text-sm gap-1.5', leadingIcon: 'size-4', trailingIcon: 'size-4' },
      },
    },
    compoundVariants: [
      {
        color: 'primary' as const,
        variant: 'solid' as const,
        class: 'hover:bg-(--primaryHover) active:bg-(--primaryHover) focus-visible:outline-offset-2 focus-visible:outline-2',
      },
      { color: 'neutral' as const, variant: 'outline' as const, class: 'text-(--ink)' },
      { color: 'neutral' as const, variant: 'ghost' as const, class: 'text-(--ink2)' },
    ],
  },
  modal: {
    slots: {
      overlay: 'bg-[rgb(12_20_26/0.42)]',
      content: 'divide-y-0 rounded-xl bg-(--raised) shadow-(--elevation-2)',
      header: 'px-5 pt-4 pb-1 sm:px-5 min-h-0 items-start',
      body: 'px-5 py-2 sm:px-5 sm:py-2',
      footer: 'px-5 pt-3 pb-4 sm:px-5 justify-end gap-2',
      title: 'text-lg font-bold',
      close: 'top-3 end-3',
    },
    variants: { overlay: { true: { overlay: 'bg-[rgb(12_20_26/0.42)]' } } },
  },
  dropdownMenu: {
    slots: {
      content: 'rounded-[10px] bg-(--raised) shadow-(--elevation-2) ring-(--line)',
      group: 'p-1.5',
      item: 'items-center before:rounded-md data-highlighted:before:bg-(--primarySoft)!',
      separator: '-mx-1.5 my-1.5',
    },
    variants: {
      size: {
        md: { item: 'px-2.5 py-1.5 gap-2.5 text-sm', itemLeadingIcon: 'size-4', itemTrailingIcon: 'size-4', label: 'px-2.5 py-1 text-xs text-(--ink3)' },
      },
    },
  },
  popover: { slots: { content: 'rounded-[10px] bg-(--raised) shadow-(--elevation-2) ring-(--line)' } },
  input: { variants: { size: { md: { base: 'px-2.5 py-1.5 text-sm/5', leadingIcon: 'size-4', trailingIcon: 'size-4' } } } },
  textarea: { variants: { size: { md: { base: 'px-2.5 py-1.5 text-sm/5' } } } },
  select: {
    slots: { content: 'rounded-[10px] bg-(--raised) shadow-(--elevation-2)' },
    variants: { size: { md: { base: 'px-2.5 py-1.5 text-sm/5', trailingIcon: 'size-4' } } },
  },
  formField: {
    slots: { label: 'font-semibold text-(--ink2)', error: 'mt-1 text-error', help: 'mt-1 text-muted', container: 'mt-1' },
    variants: { size: { md: { root: 'text-xs' } } },
  },
}
