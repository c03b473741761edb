// The sections of the settings, in their order.

export const sections = [
  { id: 'agents', title: 'Agents' },
  { id: 'projects', title: 'Projects and limits' },
  { id: 'files', title: 'Files' },
  { id: 'notifications', title: 'Notifications' },
  { id: 'devices', title: 'Devices' },
  { id: 'keys', title: 'Keys' },
  { id: 'look', title: 'Look' },
] as const
export type Section = (typeof sections)[number]['id']
